/** Runs rounds of benchmarks, with one line for each measurement. */
import type { Benchmark } from './benchmark.ts';
import type { Benchtime, Flags } from './flags.ts';
import { formatHeader, formatLine, fullName, packageName } from './format.ts';
import { measure } from './measure.ts';
import { orderOf } from './order.ts';

export type Write = (text: string) => void;

/** Enough for V8 to compile the hot code. */
const warmUp: Benchtime = { unit: 'nanoseconds', value: 50e6 };
const once: Benchtime = { unit: 'operations', value: 1 };

export interface Rounds extends Pick<Flags, 'benchtime' | 'shuffle'> {
  /** The number of the first round, from 1: the order depends on it. */
  readonly first: number;
  readonly count: number;
}

/**
 * Each round measures every benchmark once, instead of one benchmark `count` times: so slow changes
 * of the machine affect all of them equally. A benchmark that fails is reported and skipped from
 * then on.
 * @returns whether none failed. Rejects when the signal aborts.
 */
export async function runRounds(
  benchmarks: readonly Benchmark[],
  { first, count, benchtime, shuffle }: Rounds,
  write: Write,
  signal: AbortSignal,
): Promise<boolean> {
  const width = Math.max(0, ...benchmarks.map((benchmark) => fullName(benchmark).length));
  const failed = new Set<Benchmark>();

  async function attempt(benchmark: Benchmark, length: Benchtime): Promise<string> {
    if (failed.has(benchmark)) return '';
    try {
      return formatLine(benchmark, width, await measure(benchmark, length, signal));
    } catch (error) {
      signal.throwIfAborted();
      failed.add(benchmark);
      const reason = error instanceof Error ? error.message : String(error);
      return `--- FAIL: ${fullName(benchmark)}\n    ${reason}\n`;
    }
  }

  // All code has seen all kinds of values before the first line, so the order matters less.
  const warm = benchtime.unit === 'operations' ? once : warmUp;
  for (const benchmark of benchmarks) {
    const line = await attempt(benchmark, warm);
    if (failed.has(benchmark)) write(line);
  }
  for (let round = first; round < first + count; round++) {
    for (const benchmark of orderOf(benchmarks, shuffle, round)) {
      write(await attempt(benchmark, benchtime));
    }
  }
  return failed.size === 0;
}

/** Prints Go's header and footer around `run`. @returns the result of `run`. */
export async function withFrame(write: Write, run: () => Promise<boolean>): Promise<boolean> {
  const began = performance.now();
  write(formatHeader());
  const passed = await run();
  const seconds = ((performance.now() - began) / 1000).toFixed(3);
  write(
    passed
      ? `PASS\nok  \t${packageName}\t${seconds}s\n`
      : `FAIL\nFAIL\t${packageName}\t${seconds}s\n`,
  );
  return passed;
}
