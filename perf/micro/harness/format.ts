/**
 * Go's benchmark format, as `go test -bench` prints it and benchstat reads it:
 * https://go.dev/design/14313-benchmark-format.
 */
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Benchmark } from './benchmark.ts';
import type { Measurement } from './measure.ts';

export const packageName = 'task-manager-api';

/** Go's names of systems that Node names differently. */
const systems: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const processors: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export function formatHeader(): string {
  const model = cpus()[0]?.model.trim() ?? '';
  return [
    `goos: ${systems[platform()] ?? platform()}`,
    `goarch: ${processors[arch()] ?? arch()}`,
    `pkg: ${packageName}`,
    ...(model === '' ? [] : [`cpu: ${model}`]),
    // Not a key: benchstat would refuse to compare two versions.
    `# Node ${process.version}`,
    '',
  ].join('\n');
}

/** The suffix `-8` for eight processors, none for one. PostgreSQL uses them besides this thread. */
export function fullName({ name }: Benchmark, processorCount = availableParallelism()): string {
  return `Benchmark${name}${processorCount === 1 ? '' : `-${processorCount}`}`;
}

/** @param width of the longest name, to align the columns. */
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

/** Four significant digits, decimal points aligned: ten characters before each. */
function formatValue(value: number, unit: string): string {
  const digits = digitsBehindPoint(value);
  return `${value.toFixed(digits).padStart(digits === 0 ? 10 : 11 + digits)} ${unit}`;
}

function digitsBehindPoint(value: number): number {
  if (value === 0) return 0;
  for (let digits = 0; digits < 7; digits++) {
    // From here on it rounds to four digits with one decimal less.
    if (value >= (1000 - 0.05) / 10 ** digits) return digits;
  }
  return 7;
}
