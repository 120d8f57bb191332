/** The tables of what metrics and profiles cost. */
import type { OpenLoopResult } from '../load/open-loop/result.ts';
import type { Setting } from '../support/machine.ts';
import { microseconds, table, whole, withSpread } from '../support/markdown.ts';
import { cpuPerRequest, type Sample } from '../support/sample.ts';
import { type Spread, spreadOf } from '../support/statistics.ts';

/** The baseline of each variant: the same without its last feature. */
const bases = {
  'no metrics': 'no metrics',
  metrics: 'no metrics',
  'metrics, scraped each second': 'metrics',
  'metrics, profiles possible': 'metrics',
  'metrics, a CPU profile being made': 'metrics',
} as const;
export type VariantName = keyof typeof bases;

export interface CostSample extends Sample {
  readonly round: number;
  readonly variant: VariantName;
}

export interface OpenCostSample extends OpenLoopResult {
  readonly round: number;
  readonly variant: VariantName;
  readonly rate: number;
}

export interface CostOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

export function metricsCostReport(
  settings: readonly Setting[],
  options: CostOptions,
  closed: readonly CostSample[],
  open: readonly OpenCostSample[],
): string {
  const cpuOf = (sample: CostSample): number => cpuPerRequest(sample, 'service') ?? Number.NaN;
  return `${[
    '# What metrics and profiles cost',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `GET by id of 1 000 000 tasks: median (smallest..largest) of ${options.rounds} interleaved rounds ` +
      `of ${options.seconds} s. In each round each variant is a new process. Shares are made within ` +
      'a round. Load generator, service and PostgreSQL are on the same cores.',
    `## ${options.connections} connections, each sends its next request when it has its answer`,
    table(
      [
        '',
        'compared to',
        'requests/s',
        'share',
        'service CPU µs/request',
        'share',
        'p99 µs',
        'share',
      ],
      variantsOf(closed).map((variant) => [
        variant,
        bases[variant],
        ...figure(closed, variant, ({ rate }) => rate, whole),
        ...figure(closed, variant, cpuOf, (value) => value.toFixed(2)),
        ...figure(closed, variant, ({ latencyUs }) => latencyUs.p99, microseconds),
      ]),
    ),
    ...(open.length === 0 ? [] : openParts(open)),
  ].join('\n\n')}\n`;
}

function openParts(open: readonly OpenCostSample[]): readonly string[] {
  return [
    `## An open loop at ${whole(open[0]?.rate ?? 0)} requests a second, half of what was served above`,
    table(
      ['', 'p50 µs', 'share', 'p99 µs', 'share', 'p99.9 µs', 'share'],
      variantsOf(open).map((variant) => [
        variant,
        ...figure(open, variant, ({ goodUs }) => goodUs.p50, microseconds),
        ...figure(open, variant, ({ goodUs }) => goodUs.p99, microseconds),
        ...figure(open, variant, ({ goodUs }) => goodUs.p999, microseconds),
      ]),
    ),
  ];
}

interface Placed {
  readonly round: number;
  readonly variant: VariantName;
}

/** In the order above. */
function variantsOf(samples: readonly Placed[]): readonly VariantName[] {
  const names = Object.keys(bases) as VariantName[];
  return names.filter((name) => samples.some(({ variant }) => variant === name));
}

/** One cell with the figure and one with its ratio to the baseline; empty without a baseline. */
function figure<Of extends Placed>(
  samples: readonly Of[],
  variant: VariantName,
  of: (sample: Of) => number,
  format: (value: number) => string,
): [string, string] {
  const own = samples.filter((sample) => sample.variant === variant);
  const shares = sharesOf(samples, variant, of);
  return [
    withSpread(spreadOf(own.map(of)), format),
    shares === undefined ? '' : withSpread(shares, (value) => value.toFixed(3)),
  ];
}

/** @returns `undefined` for the baseline itself, or if the baseline was not measured. */
export function sharesOf<Of extends Placed>(
  samples: readonly Of[],
  variant: VariantName,
  of: (sample: Of) => number,
): Spread | undefined {
  const base = bases[variant];
  if (base === variant) return undefined;
  const shares = samples.flatMap((sample) => {
    if (sample.variant !== variant) return [];
    const others = samples.filter(
      (other) => other.variant === base && other.round === sample.round,
    );
    return others.map((other) => of(sample) / of(other));
  });
  return shares.length === 0 ? undefined : spreadOf(shares);
}
