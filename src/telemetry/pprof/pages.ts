/** The pages under /debug/pprof/, as in net/http/pprof, for all processes and threads. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { AdminAnswer, AdminPage, AdminRequest } from '../../admin/admin-page.ts';
import { type AskFrontEnds, type Collection, type Collector, createCollector } from './collect.ts';
import { subtractSamples } from './delta.ts';
import { encodeCpuProfile } from './encode-cpuprofile.ts';
import { encodePprof } from './encode-pprof.ts';
import { encodeSpeedscope } from './encode-speedscope.ts';
import { encodeText } from './encode-text.ts';
import { indexPage } from './index-page.ts';
import { isSet, type ProfileKind, profileKinds } from './kinds.ts';
import type { Profile } from './profile.ts';
import type { ProfileQuestion } from './recording.ts';
import { createSources } from './sources.ts';
import { encodeTrace } from './trace.ts';

export interface PprofOptions {
  readonly fleet: { readonly ask: AskFrontEnds };
}

export interface PprofPages {
  /** `path` is the part after `/debug/pprof`. */
  readonly page: AdminPage;
  close(): void;
}

const formats = ['pprof', 'cpuprofile', 'speedscope'] as const;
type Format = (typeof formats)[number];

/** As the API's description says. */
export const secondsMax = 300;
const traceSecondsDefault = 1;
const compress = promisify(gzip);

/** Call it once, in the primary: from then on the primary's heap is sampled. */
export function createPprofPages({ fleet }: PprofOptions): PprofPages {
  const collector = createCollector(fleet.ask);

  async function page(request: AdminRequest, signal: AbortSignal): Promise<AdminAnswer> {
    try {
      return await answer(request, signal);
    } catch (error) {
      // The client has left; nobody reads this.
      if (signal.aborted) return plain(499, 'The client has gone.');
      throw error;
    }
  }

  async function answer(request: AdminRequest, signal: AbortSignal): Promise<AdminAnswer> {
    const name = request.path.replace(/^\//, '');
    if (name === '') return answerIndex(signal);
    if (name === 'cmdline') return plain(200, commandLine());
    // Profiles contain the names, so Go's tool need not look up any.
    if (name === 'symbol') return plain(200, 'num_symbols: 0\n');
    if (name === 'trace') return answerTrace(request, signal);
    const kind = profileKinds.find((candidate) => candidate.name === name);
    if (kind === undefined) return refuse(404, `Unknown profile: there is ${names()}.`);
    return answerProfile(kind, request, signal);
  }

  async function answerProfile(
    kind: ProfileKind,
    { query }: AdminRequest,
    signal: AbortSignal,
  ): Promise<AdminAnswer> {
    const seconds = readSeconds(query, kind.defaultSeconds);
    if (typeof seconds === 'string') return refuse(400, seconds);
    const isDelta = kind.defaultSeconds === null && seconds > 0;
    const format = formats.find((known) => known === (query.get('format') ?? 'pprof'));
    if (format === undefined) return refuse(400, `format must be one of ${formats.join(', ')}.`);
    if (format === 'cpuprofile' && kind.name !== 'profile') {
      return refuse(400, 'format=cpuprofile is for the CPU profile only.');
    }
    const question = kind.question(seconds * 1000, query);
    if (isDelta && isSet(query.get('debug'))) {
      return refuse(400, 'seconds and debug=1 do not go together: a difference has no text.');
    }
    if (isDelta && format === 'speedscope') {
      return refuse(400, 'format=speedscope cannot show a difference, which has negative values.');
    }
    if (question !== null && isDelta) {
      const both = await collector.collectTwice(question, seconds * 1000, signal);
      return both === null ? busy() : encodeDelta(kind, both);
    }
    if (question === null) return encode(kind, emptyCollection(), query, format);
    const collection = await collector.collect(question, signal);
    return collection === null ? busy() : encode(kind, collection, query, format);
  }

  async function answerTrace({ query }: AdminRequest, signal: AbortSignal): Promise<AdminAnswer> {
    const seconds = readSeconds(query, traceSecondsDefault);
    if (typeof seconds === 'string') return refuse(400, seconds);
    const question: ProfileQuestion = { kind: 'trace', milliseconds: seconds * 1000 };
    const collection = await collector.collect(question, signal);
    if (collection === null) return busy();
    const { body, file } = { body: encodeTrace(collection), file: 'trace.json' };
    return attachment(file, 'application/json', body, collection.missing);
  }

  async function answerIndex(signal: AbortSignal): Promise<AdminAnswer> {
    const body = indexPage(await countEach(collector, signal));
    return { status: 200, contentType: 'text/html; charset=utf-8', body, headers: unsniffed };
  }

  return { page, close: collector.close };
}

async function encode(
  kind: ProfileKind,
  collection: Collection,
  query: URLSearchParams,
  format: Format,
): Promise<AdminAnswer> {
  const profile = toProfile(kind, collection);
  const { missing } = collection;
  switch (format) {
    case 'cpuprofile':
      return attachment(
        `${kind.name}.cpuprofile`,
        'application/json',
        encodeCpuProfile(profile),
        missing,
      );
    case 'speedscope':
      return attachment(
        `${kind.name}.speedscope.json`,
        'application/json',
        encodeSpeedscope(profile, kind.name),
        missing,
      );
    case 'pprof':
      if (isSet(query.get('debug'))) {
        return { ...plain(200, encodeText(kind.name, profile)), headers: headersFor(missing) };
      }
      return attachment(
        kind.name,
        'application/octet-stream',
        await compress(encodePprof(profile)),
        missing,
      );
  }
}

async function encodeDelta(
  kind: ProfileKind,
  [before, after]: readonly [Collection, Collection],
): Promise<AdminAnswer> {
  const [first, last] = [toProfile(kind, before), toProfile(kind, after)];
  const missing = [...new Set([...before.missing, ...after.missing])];
  const profile: Profile = {
    ...last,
    samples: subtractSamples(last.samples, first.samples),
    durationMs: last.startedAt.getTime() - first.startedAt.getTime(),
  };
  return attachment(
    `${kind.name}-delta`,
    'application/octet-stream',
    await compress(encodePprof(profile)),
    missing,
  );
}

function toProfile(kind: ProfileKind, collection: Collection): Profile {
  const { recordings, startedAt, durationMs, missing, notes } = collection;
  const comments = [
    kind.comment,
    ...(missing.length === 0 ? [] : [`missing: ${missing.join(', ')}`]),
    ...notes,
  ];
  const samples = kind.samples(recordings, createSources());
  const { types, period } = kind;
  return { types, period, samples, startedAt, durationMs, comments };
}

/** The counts on the index page; none while a profile is in progress. */
async function countEach(
  collector: Collector,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>([['mutex', 0]]);
  for (const name of ['goroutine', 'heap', 'threadcreate']) {
    const kind = profileKinds.find((candidate) => candidate.name === name)!;
    const question = kind.question(0, new URLSearchParams())!;
    const collection = await collector.collect(question, signal);
    if (collection === null) continue;
    const samples = kind.samples(collection.recordings, createSources());
    const [first] = kind.types.keys();
    counts.set(name, Math.round(samples.reduce((sum, { values }) => sum + values[first!]!, 0)));
  }
  return counts;
}

function emptyCollection(): Collection {
  return { recordings: new Map(), startedAt: new Date(), durationMs: 0, missing: [], notes: [] };
}

/** @returns 0: the present. What is wrong, as a text. */
function readSeconds(query: URLSearchParams, fallback: number | null): number | string {
  const given = query.get('seconds');
  if (given === null || given === '') return fallback ?? 0;
  const seconds = Number(given);
  if (/^\d{1,6}$/.test(given) && seconds >= 1 && seconds <= secondsMax) return seconds;
  return `seconds must be a whole number from 1 to ${secondsMax}.`;
}

function commandLine(): string {
  const [program = process.execPath, ...rest] = process.argv;
  return [program, ...process.execArgv, ...rest].join('\0');
}

function names(): string {
  return [...profileKinds.map(({ name }) => name), 'cmdline', 'symbol', 'trace'].join(', ');
}

const unsniffed = { 'X-Content-Type-Options': 'nosniff' };

function headersFor(missing: readonly string[]): Record<string, string> {
  return missing.length === 0 ? unsniffed : { ...unsniffed, 'X-Pprof-Missing': missing.join(', ') };
}

function attachment(
  file: string,
  contentType: string,
  body: Uint8Array | string,
  missing: readonly string[],
): AdminAnswer {
  const disposition = { 'Content-Disposition': `attachment; filename="${file}"` };
  return { status: 200, contentType, body, headers: { ...headersFor(missing), ...disposition } };
}

function plain(status: number, body: string): AdminAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body, headers: unsniffed };
}

/** Go's tool shows the text if this header is set. */
function refuse(status: number, text: string): AdminAnswer {
  return { ...plain(status, `${text}\n`), headers: { ...unsniffed, 'X-Go-Pprof': '1' } };
}

function busy(): AdminAnswer {
  return refuse(409, 'Another profile of this service is being made: try again when it is done.');
}
