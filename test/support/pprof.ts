/** Decodes profiles, itself or with Go's tool. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';

export interface ReadSample {
  /** The innermost function first. */
  readonly functions: readonly ReadFunction[];
  readonly values: readonly number[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface ReadFunction {
  readonly name: string;
  readonly file: string;
  readonly startLine: number;
  readonly line: number;
}

export interface ReadProfile {
  /** As in `cpu/nanoseconds`. */
  readonly types: readonly string[];
  readonly samples: readonly ReadSample[];
  readonly comments: readonly string[];
  readonly defaultType: string;
  readonly period: number;
  readonly durationNs: number;
}

/** @param bytes compressed or not. */
export function readPprof(bytes: Uint8Array): ReadProfile {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const profile = Profile.decode(isCompressed ? gunzipSync(bytes) : bytes);
  const text = (index: number | bigint): string => profile.stringTable.strings[Number(index)] ?? '';
  const functions = new Map(profile.function.map((found) => [Number(found.id), found]));
  const locations = new Map(profile.location.map((found) => [Number(found.id), found]));

  function readLocation(id: number | bigint): ReadFunction {
    const [line] = locations.get(Number(id))!.line;
    const found = functions.get(Number(line!.functionId))!;
    return {
      name: text(found.name),
      file: text(found.filename),
      startLine: Number(found.startLine),
      line: Number(line!.line),
    };
  }

  return {
    types: profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`),
    samples: profile.sample.map(({ locationId, value, label }) => ({
      functions: locationId.map(readLocation),
      // The library reads them as unsigned.
      values: value.map((number) => Number(BigInt.asIntN(64, BigInt(number)))),
      labels: Object.fromEntries(label.map(({ key, str }) => [text(key), text(str)])),
    })),
    comments: profile.comment.map(text),
    defaultType: text(profile.defaultSampleType),
    period: Number(profile.period),
    durationNs: Number(profile.durationNanos),
  };
}

/** Why tests with Go's tool cannot run; `false`: they can. */
export const goIsMissing: string | false =
  spawnSync('go', ['version']).status === 0
    ? false
    : 'Go is not installed: go tool pprof is not tried';

/** @throws the tool's output if it fails. */
export function goToolPprof(args: readonly string[], directory: string): string {
  const { status, stdout, stderr } = spawnSync('go', ['tool', 'pprof', ...args], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`go tool pprof ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Asynchronous, because this process may generate the load. */
export async function goToolPprofLater(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['tool', 'pprof', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout;
}

/**
 * Runs a shell command with `words` as its input. Asynchronous. Rejects with its output if it
 * fails.
 * @param folder for the profiles that Go's tool saves too.
 */
export function runLine(line: string, words: string, folder: string): Promise<string> {
  const child = spawn('sh', ['-c', line], {
    cwd: folder,
    env: { ...process.env, PPROF_TMPDIR: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += String(chunk);
    });
  }
  // A command that does not read its input closes it early.
  child.stdin.on('error', () => undefined);
  child.stdin.end(words);
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) =>
      code === 0 ? done(said) : failed(new Error(`${line} ended with ${code}: ${said}`)),
    );
  });
}
