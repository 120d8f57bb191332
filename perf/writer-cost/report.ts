/** The table of what writers pay for the list's indexes and counts. */
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
import type { Sample } from '../support/sample.ts';
import { spreadOf } from '../support/statistics.ts';

export interface WriterSample extends Sample {
  readonly round: number;
  readonly variant: string;
  readonly operation: 'post' | 'put';
  readonly connections: number;
}

const titles = { post: 'POST /api/tasks', put: 'PUT /api/tasks/:id (all fields)' } as const;

export function writerCostReport(
  settings: readonly Setting[],
  options: Options,
  variants: readonly string[],
  samples: readonly WriterSample[],
): string {
  const parts = [
    '# What the list costs writers',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `Median (smallest..largest) of ${options.rounds} interleaved rounds of ${options.seconds} s on 1 000 000 ` +
      'tasks. Each variant is a copy of the same database from which something was taken away; the last ' +
      'has the row of state, its trigger, and indexes of status and assignee. Shares are of the rate with everything, in the same round.',
  ];
  for (const operation of ['post', 'put'] as const) {
    parts.push(`## ${titles[operation]}`);
    const columns = options.connections.flatMap((connections) => [
      `${connectionsTitle(connections)}, requests/s`,
      'share',
      'p50 µs',
    ]);
    const rows = variants.map((variant) => [
      variant,
      ...options.connections.flatMap((connections) => {
        const of = (name: string) =>
          samples.filter(
            (sample) =>
              sample.variant === name &&
              sample.operation === operation &&
              sample.connections === connections,
          );
        const own = of(variant);
        const all = of(variants[0]!);
        const shares = own.map((sample, place) => sample.rate / all[place]!.rate);
        return [
          withSpread(spreadOf(own.map(({ rate }) => rate)), whole),
          withSpread(spreadOf(shares), ratio),
          withSpread(spreadOf(own.map(({ latencyUs }) => latencyUs.p50)), microseconds),
        ];
      }),
    ]);
    parts.push(table(['', ...columns], rows));
  }
  return `${parts.join('\n\n')}\n`;
}
