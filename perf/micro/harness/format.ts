/**
 * Go's benchmark text, as `go test -bench` prints it and benchstat reads it:
 * https://go.dev/design/14313-benchmark-format.
 */
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Benchmark } from './benchmark.ts';
import type { Measurement } from './measure.ts';

export const packageName = 'task-manager-api';

/** Go's names of what Node calls otherwise. */
const systems: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const processors: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export function formatHeader(): string {
  const model = cpus()[0]?.model.trim() ?? '';
  return [
    `goos: ${systems[platform()] ?? platform()}`,
    `goarch: ${processors[arch()] ?? arch()}`,
    `pkg: ${packageName}`,
    ...(model === '' ? [] : [`cpu: ${model}`]),
    // No key: benchstat would refuse to compare two of them.
    `# Node ${process.version}`,
    '',
  ].join('\n');
}

/** `-8` where eight processors are used, nothing for one. Beside this thread PostgreSQL has them. */
export function fullName({ name }: Benchmark, processorCount = availableParallelism()): string {
  return `Benchmark${name}${processorCount === 1 ? '' : `-${processorCount}`}`;
}

/** @param width of the longest name, so that columns stand below each other. */
export function formatLine(benchmark: Benchmark, width: number, measured: Measurement): string {
  const { operations, nanoseconds, bytes } = measured;
  const { requests = 1 } = benchmark;
  const cells = [
    fullName(benchmark).padEnd(width),
    String(operations).padStart(8),
    formatValue(nanoseconds / operations, 'ns/op'),
    ...(requests === 1 ? [] : [formatValue(nanoseconds / operations / requests, 'ns/request')]),
    `${String(Math.round(bytes / operations)).padStart(8)} B/op`,
  ];
  return `${cells.join('\t')}\n`;
}

/** Four digits that count, the points below each other: ten places stand before each. */
function formatValue(value: number, unit: string): string {
  const digits = digitsBehindPoint(value);
  return `${value.toFixed(digits).padStart(digits === 0 ? 10 : 11 + digits)} ${unit}`;
}

function digitsBehindPoint(value: number): number {
  if (value === 0) return 0;
  for (let digits = 0; digits < 7; digits++) {
    // From here on it rounds to four digits with one digit less behind the point.
    if (value >= (1000 - 0.05) / 10 ** digits) return digits;
  }
  return 7;
}
