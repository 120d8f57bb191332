/** The table of thresholds, one for each operation and figure. */
import type { Setting } from '../support/machine.ts';
import { connectionsTitle, microseconds, table, whole, withSpread } from '../support/markdown.ts';
import type { Options } from '../support/options.ts';
import { cpuPerRequest, type Sample } from '../support/sample.ts';
import { spreadOf } from '../support/statistics.ts';

export const operationNames = ['get', 'post'] as const;
export type Operation = (typeof operationNames)[number];

export interface OffloadSample extends Sample {
  readonly round: number;
  readonly operation: Operation;
  readonly connections: number;
  /** OFFLOAD_MIN_BATCH. */
  readonly threshold: number;
}

interface Figure {
  readonly title: string;
  readonly of: (sample: OffloadSample) => number | null;
  readonly format: (value: number) => string;
}

const titles: Readonly<Record<Operation, string>> = {
  get: 'GET /api/tasks/:id',
  post: 'POST /api/tasks',
};
const figures: readonly Figure[] = [
  { title: 'requests/s', of: (sample) => sample.rate, format: whole },
  { title: 'p50 µs', of: (sample) => sample.latencyUs.p50, format: microseconds },
  { title: 'p99 µs', of: (sample) => sample.latencyUs.p99, format: microseconds },
  {
    title: 'CPU µs per request, service and PostgreSQL together',
    of: cpuOfBoth,
    format: microseconds,
  },
];

export function offloadReport(
  settings: readonly Setting[],
  options: Options,
  operations: readonly Operation[],
  thresholds: readonly number[],
  samples: readonly OffloadSample[],
): string {
  const parts = [
    '# OFFLOAD_MIN_BATCH: from which size on a batch goes to a worker thread',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `Median (smallest..largest) of ${options.rounds} interleaved rounds, ${options.seconds} s each after ` +
      `${options.warmupSeconds} s of warm-up, on 1 000 000 tasks; load generator, service and PostgreSQL ` +
      'on the same cores. 0: every batch is offloaded; 1024: none is.',
  ];
  for (const operation of operations) {
    for (const figure of figures) {
      parts.push(`## ${titles[operation]}, ${figure.title}`);
      parts.push(figureTable(figure, operation, options, thresholds, samples));
    }
  }
  return `${parts.join('\n\n')}\n`;
}

function figureTable(
  figure: Figure,
  operation: Operation,
  options: Options,
  thresholds: readonly number[],
  samples: readonly OffloadSample[],
): string {
  return table(
    ['threshold', ...options.connections.map(connectionsTitle)],
    thresholds.map((threshold) => [
      String(threshold),
      ...options.connections.map((connections) => {
        const values = samples
          .filter((sample) => sample.threshold === threshold)
          .filter((sample) => sample.operation === operation && sample.connections === connections)
          .flatMap((sample) => figure.of(sample) ?? []);
        return values.length === 0 ? '–' : withSpread(spreadOf(values), figure.format);
      }),
    ]),
  );
}

function cpuOfBoth(sample: OffloadSample): number | null {
  const service = cpuPerRequest(sample, 'service');
  const postgres = cpuPerRequest(sample, 'postgres');
  return service === null || postgres === null ? null : service + postgres;
}
