/** Families of numbers as Prometheus' text or OpenMetrics: the only place that knows prom-client. */
import { type Aggregator, AggregatorRegistry, type RegistryContentType } from 'prom-client';
import { chooseMediaType } from '../../contract/accept.ts';
import type { FamilyType } from './layout.ts';

/** A family at one moment, ready to be written. */
export interface Snapshot {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** With the suffix of a bucket, a sum or a count; `undefined`: the family's own. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rendered {
  readonly contentType: string;
  readonly body: string;
}

const { PROMETHEUS_CONTENT_TYPE: text, OPENMETRICS_CONTENT_TYPE: openMetrics } = AggregatorRegistry;

/** How Prometheus 3 wants names written that older ones do not know: none of ours is such a name. */
const escaping = /;\s*escaping=[\w-]+/gi;

/**
 * A histogram's buckets are counted elsewhere, and prom-client's Histogram takes observations only. So
 * the families go in where it takes in those of other processes, ready counted: each value is the only
 * one of its labels, and is the first.
 * @param accept the request's header: OpenMetrics goes to whoever names it or likes it better.
 */
export async function render(snapshots: readonly Snapshot[], accept: string): Promise<Rendered> {
  const offered = accept.replaceAll(escaping, '');
  const isOpen = chooseMediaType(offered, [text, openMetrics]) === openMetrics;
  const families = snapshots.map(({ name, help, type, samples }) => ({
    // OpenMetrics has `_total` on a counter's lines only, where the registry puts it.
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
