/** The table of cached lists: rates, ratios to bare uWebSockets.js, latencies. */
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

export interface CachedListSample extends Sample {
  readonly round: number;
  readonly subject: string;
  readonly connections: number;
}

export function cachedListReport(
  settings: readonly Setting[],
  options: Options,
  subjects: readonly string[],
  samples: readonly CachedListSample[],
): string {
  const valuesOf = (
    subject: string,
    connections: number,
    of: (sample: CachedListSample) => number,
  ): number[] =>
    samples
      .filter((sample) => sample.subject === subject && sample.connections === connections)
      .map(of);
  const figure = (
    of: (sample: CachedListSample) => number,
    format: (value: number) => string,
  ): string =>
    table(
      ['', ...options.connections.map(connectionsTitle)],
      subjects.map((subject) => [
        subject,
        ...options.connections.map((connections) =>
          withSpread(spreadOf(valuesOf(subject, connections, of)), format),
        ),
      ]),
    );
  const bareOf = (sample: CachedListSample): CachedListSample =>
    samples.find(
      ({ subject, round, connections }) =>
        subject === 'bare' && round === sample.round && connections === sample.connections,
    )!;
  return `${[
    '# A cached list beside bare uWebSockets.js',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `Median (smallest..largest) of ${options.rounds} interleaved rounds of ${options.seconds} s. The first ` +
      'page of 1 000 000 tasks; every request shares a read of the generation that began after it ' +
      'came. Bare: one route that always sends the same bytes, without any check.',
    '## Share of the bare rate, in the same round',
    figure((sample) => sample.rate / bareOf(sample).rate, ratio),
    '## Requests/s',
    figure((sample) => sample.rate, whole),
    '## p50 µs',
    figure((sample) => sample.latencyUs.p50, microseconds),
    '## p99 µs',
    figure((sample) => sample.latencyUs.p99, microseconds),
  ].join('\n\n')}\n`;
}
