/** The table of a bench of both runtimes: old beside new. */
import type { Setting } from '../support/machine.ts';
import {
  connectionsTitle,
  microseconds,
  ratio,
  table,
  whole,
  withSpread,
} from '../support/markdown.ts';
import type { Options } from '../support/options.ts';
import { cpuPerRequest } from '../support/sample.ts';
import { type Spread, spreadOf } from '../support/statistics.ts';
import { holdsRate } from './compare-samples.ts';
import { disturbance } from './disturbance.ts';
import { type OperationName, operationNames, operations } from './operations.ts';
import type { PairName } from './pairs.ts';
import type { BenchSamples, ClosedSample, Missing, OpenSample } from './samples.ts';

/** Start times have no operation. */
export interface PairStart {
  readonly round: number;
  readonly subject: PairName;
  readonly ms: number;
}

export interface PairSamples extends Pick<BenchSamples, 'closed' | 'open'> {
  readonly starts: readonly PairStart[];
}

interface InRound {
  readonly round: number;
  readonly subject: string;
}

/** One figure of a sample; null if the system does not report it. */
interface Figure<Sample> {
  readonly title: string;
  readonly format: (value: number) => string;
  of(sample: Sample): number | null;
}

const absent = '–';
const head = ['', 'figure', 'old', 'new', 'new / old'];

const closedFigures: readonly Figure<ClosedSample>[] = [
  { title: 'requests/s', format: whole, of: ({ rate }) => rate },
  { title: 'p50 µs', format: microseconds, of: ({ latencyUs }) => latencyUs.p50 },
  { title: 'p99 µs', format: microseconds, of: ({ latencyUs }) => latencyUs.p99 },
  {
    title: 'CPU µs/request of the service',
    format: microseconds,
    of: (sample) => cpuPerRequest(sample, 'service'),
  },
  {
    // Near 1 the client is what was measured.
    title: 'client, cores',
    format: ratio,
    of: ({ cpuSeconds, seconds }) => (cpuSeconds === null ? null : cpuSeconds['client']! / seconds),
  },
  {
    title: 'resident memory, MiB',
    format: whole,
    of: ({ memory }) => memory?.residentMiB ?? null,
  },
];

const openFigures: readonly Figure<OpenSample>[] = [
  { title: 'answered/s', format: whole, of: ({ goodRate }) => goodRate },
  { title: 'p50 µs', format: microseconds, of: ({ goodUs }) => goodUs.p50 },
  { title: 'p99 µs', format: microseconds, of: ({ goodUs }) => goodUs.p99 },
];

const startFigure: Figure<PairStart> = {
  title: 'first answer, ms',
  format: whole,
  of: ({ ms }) => ms,
};

export function pairsReport(
  settings: readonly Setting[],
  { rounds, seconds, warmupSeconds }: Options,
  samples: PairSamples,
  missing: readonly Missing[],
): string {
  const parts = [
    '# Both runtimes',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `Median (smallest..largest) of ${rounds} interleaved rounds of ${seconds} s, each after ` +
      `${warmupSeconds} s of warm-up in a new process; 1 000 000 tasks; load, service and PostgreSQL on the ` +
      'same cores. The last column is the median of the ratios within a round. How to read this: ' +
      '[perf/README.md](../README.md).',
    disturbance(samples.closed),
  ];
  if (missing.length > 0) {
    parts.push('## Missing', missing.map(({ what, reason }) => `- ${what}: ${reason}`).join('\n'));
  }
  for (const name of operationNames) {
    const rows = operationRows(samples, name);
    if (rows.length > 0) parts.push(`## ${operations[name].title}`, table(head, rows));
  }
  const { starts } = samples;
  if (starts.length > 0) {
    parts.push(
      '## Start, with the embedded database',
      table(head, figureRows('process start', starts, [startFigure])),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

function operationRows(samples: PairSamples, name: OperationName): string[][] {
  const closed = samples.closed.filter(({ operation }) => operation === name);
  const open = samples.open.filter(({ operation }) => operation === name);
  const rows = operations[name].connections.flatMap((count) =>
    figureRows(
      connectionsTitle(count),
      closed.filter(({ connections }) => connections === count),
      closedFigures,
    ),
  );
  if (open.length === 0) return rows;
  const title = `open loop, ${whole(open[0]!.rate)}/s`;
  return [...rows, ...figureRows(title, open, openFigures), heldRow(title, open)];
}

function figureRows<Sample extends InRound>(
  title: string,
  samples: readonly Sample[],
  figures: readonly Figure<Sample>[],
): string[][] {
  if (samples.length === 0) return [];
  return figures.map(({ title: figure, format, of }) => {
    const told = samples.flatMap((sample) => {
      const value = of(sample);
      return value === null ? [] : { round: sample.round, subject: sample.subject, value };
    });
    const column = (subject: PairName): string =>
      cell(spread(valuesOf(told, subject).map(({ value }) => value)), format);
    return [title, figure, column('old'), column('new'), cell(newToOld(told), ratio)];
  });
}

interface Told extends InRound {
  readonly value: number;
}

/** Computed within each round, so that a slow round cancels out. */
export function newToOld(told: readonly Told[]): Spread | undefined {
  const old = new Map(valuesOf(told, 'old').map(({ round, value }) => [round, value]));
  return spread(
    valuesOf(told, 'new').flatMap(({ round, value }) => {
      const base = old.get(round);
      return base === undefined || base === 0 ? [] : value / base;
    }),
  );
}

function heldRow(title: string, open: readonly OpenSample[]): string[] {
  const held = (subject: PairName): string => {
    const runs = valuesOf(open, subject);
    return runs.length === 0 ? absent : `${runs.filter(holdsRate).length} of ${runs.length}`;
  };
  return [title, 'rounds that held the rate', held('old'), held('new'), absent];
}

function valuesOf<Sample extends InRound>(samples: readonly Sample[], pair: PairName): Sample[] {
  return samples.filter(({ subject }) => subject === pair);
}

function spread(values: readonly number[]): Spread | undefined {
  return values.length === 0 ? undefined : spreadOf(values);
}

function cell(value: Spread | undefined, format: (value: number) => string): string {
  return value === undefined ? absent : withSpread(value, format);
}
