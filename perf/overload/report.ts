/** The table of an overload: what is served, refused and held beside the peak. */
import type { OpenLoopResult } from '../load/open-loop/result.ts';
import type { Setting } from '../support/machine.ts';
import { table, whole } from '../support/markdown.ts';
import type { Options } from '../support/options.ts';
import { spreadOf } from '../support/statistics.ts';
import type { Processors } from './pinning.ts';

export const operations = ['get', 'post', 'search'] as const;
export type Operation = (typeof operations)[number];
const titles: Readonly<Record<Operation, string>> = {
  get: 'GET /api/tasks/:id',
  post: 'POST /api/tasks',
  search: 'GET /api/tasks?filter=title:…&assignee_id=…, uncached',
};
export const factors = [1, 2, 5, 10] as const;
/** Fewer where each waits for long: at the peak nobody is refused. */
export const peakConnections: Readonly<Record<Operation, number>> = {
  get: 256,
  post: 256,
  search: 16,
};
/** More than a queue holds, so that there is somebody to refuse. */
export const openConnections = 6000;

export interface OverloadSample extends OpenLoopResult {
  readonly operation: Operation;
  readonly factor: number;
  /** Closed loop, in the same round. */
  readonly peak: number;
  readonly livez: { readonly medianMs: number; readonly maxMs: number; readonly failed: number };
  readonly residentMiB: number;
}

export function overloadReport(
  settings: readonly Setting[],
  options: Options,
  processors: Processors | null,
  samples: readonly OverloadSample[],
): string {
  const head = [
    'offered',
    'sent /s',
    'served /s',
    'served ÷ peak',
    'served p50, p99 ms',
    'refused /s',
    'refused p50, p99 ms',
    '/livez median, worst ms',
    'front end MiB',
  ];
  const sections = operations.flatMap((operation) => {
    const ofOperation = samples.filter((sample) => sample.operation === operation);
    const peaks = spreadOf(ofOperation.map(({ peak }) => peak));
    const rows = factors.map((factor) => {
      const some = ofOperation.filter((sample) => sample.factor === factor);
      const median = (of: (sample: OverloadSample) => number): number =>
        spreadOf(some.map(of)).median;
      const share = spreadOf(some.map(({ goodRate, peak }) => goodRate / peak));
      const ms = (of: (sample: OverloadSample) => number): string => (median(of) / 1000).toFixed(1);
      return [
        `${factor} × peak`,
        whole(median(({ sentRate }) => sentRate)),
        whole(median(({ goodRate }) => goodRate)),
        `${share.median.toFixed(2)} (${share.min.toFixed(2)}..${share.max.toFixed(2)})`,
        `${ms(({ goodUs }) => goodUs.p50)}, ${ms(({ goodUs }) => goodUs.p99)}`,
        whole(median(({ refusedRate }) => refusedRate)),
        `${ms(({ refusedUs }) => refusedUs.p50)}, ${ms(({ refusedUs }) => refusedUs.p99)}`,
        `${median(({ livez }) => livez.medianMs).toFixed(1)}, ${median(({ livez }) => livez.maxMs).toFixed(0)}`,
        whole(median(({ residentMiB: mib }) => mib)),
      ];
    });
    return [
      `## ${titles[operation]}`,
      '',
      `Peak: ${whole(peaks.median)}/s (${whole(peaks.min)}..${whole(peaks.max)}), closed loop, ${peakConnections[operation]} connections.`,
      '',
      table(head, rows),
      '',
    ];
  });
  return [
    '# Overload',
    '',
    ...settings.map(({ label, value }) => `- ${label}: ${value}`),
    '',
    `Medians of ${options.rounds} rounds of ${options.seconds} s. The load falls due at a fixed rate over ` +
      `${openConnections} connections, and latencies count from then. ${sharing(processors)} It cannot send ` +
      'what falls due while it has no time or no free connection: *sent* is what it did send.',
    '',
    ...sections,
  ].join('\n');
}

function sharing(divided: Processors | null): string {
  if (divided === null) return 'It shares the processors with the service and PostgreSQL.';
  const { load, service } = divided;
  return `It has processor ${load}, the service and PostgreSQL ${service}, at the peak too.`;
}
