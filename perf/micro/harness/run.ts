/** Rounds over benchmarks, one line for each measurement. */
import type { Benchmark } from './benchmark.ts';
import type { Benchtime, Flags } from './flags.ts';
import { formatHeader, formatLine, fullName, packageName } from './format.ts';
import { measure } from './measure.ts';
import { orderOf } from './order.ts';

type Write = (text: string) => void;

/** Enough for V8 to compile what is hot. */
const warmUp: Benchtime = { unit: 'nanoseconds', value: 50e6 };
const once: Benchtime = { unit: 'operations', value: 1 };

/**
 * Each round measures every benchmark once, instead of one benchmark `count` times: what changes
 * on the machine from minute to minute then falls on all of them. One that fails says so and is
 * left out from there on.
 * @returns whether none failed. Rejects when the signal aborts.
 */
export async function runBenchmarks(
  benchmarks: readonly Benchmark[],
  { count, benchtime, shuffle }: Pick<Flags, 'count' | 'benchtime' | 'shuffle'>,
  write: Write,
  signal: AbortSignal,
): Promise<boolean> {
  const width = Math.max(0, ...benchmarks.map((benchmark) => fullName(benchmark).length));
  const began = performance.now();
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

  write(formatHeader());
  // All code has seen all kinds of values before the first line, so that it matters less what
  // happens to run before what.
  const warm = benchtime.unit === 'operations' ? once : warmUp;
  for (const benchmark of benchmarks) {
    const line = await attempt(benchmark, warm);
    if (failed.has(benchmark)) write(line);
  }
  for (let round = 1; round <= count; round++) {
    for (const benchmark of orderOf(benchmarks, shuffle, round)) {
      write(await attempt(benchmark, benchtime));
    }
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(3);
  if (failed.size === 0) write(`PASS\nok  \t${packageName}\t${seconds}s\n`);
  else write(`FAIL\nFAIL\t${packageName}\t${seconds}s\n`);
  return failed.size === 0;
}
