/** Renders families as Prometheus text or OpenMetrics. Only this file uses prom-client. */
import { type Aggregator, AggregatorRegistry, type RegistryContentType } from 'prom-client';
import { chooseMediaType } from '../../contract/accept.ts';
import type { FamilyType } from './layout.ts';

/** The values of a family at one moment. */
export interface Snapshot {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** With the suffix of a bucket, sum or count; `undefined`: the name of the family. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rendered {
  readonly contentType: string;
  readonly body: string;
}

const { PROMETHEUS_CONTENT_TYPE: text, OPENMETRICS_CONTENT_TYPE: openMetrics } = AggregatorRegistry;

/** How Prometheus 3 wants names escaped that older versions reject; no name here needs that. */
const escaping = /;\s*escaping=[\w-]+/gi;

/**
 * The buckets are already counted, and prom-client's Histogram takes only observations. So the
 * families enter where prom-client aggregates other processes: each value is the only one with its
 * labels, and the first.
 * @param accept the Accept header: OpenMetrics if it is preferred.
 */
export async function render(snapshots: readonly Snapshot[], accept: string): Promise<Rendered> {
  const offered = accept.replaceAll(escaping, '');
  const isOpen = chooseMediaType(offered, [text, openMetrics]) === openMetrics;
  const families = snapshots.map(({ name, help, type, samples }) => ({
    // In OpenMetrics only a counter's samples have `_total`, and the registry adds it.
    name: isOpen && type === 'counter' ? name.replace(/_total$/, '') : name,
    help,
    type,
    aggregator: 'first' satisfies Aggregator,
    values: samples.map(({ name: metricName, labels, value }) =>
      metricName === undefined ? { labels, value } : { metricName, labels, value },
    ),
  }));
  const registry = AggregatorRegistry.aggregate<RegistryContentType>([families]);
  if (isOpen) registry.setContentType(openMetrics);
  return { contentType: registry.contentType, body: await registry.metrics() };
}
