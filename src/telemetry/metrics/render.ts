/** Families of numbers as Prometheus' text or OpenMetrics: the only place that knows prom-client. */
import { Registry, type RegistryContentType } from 'prom-client';
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

const { PROMETHEUS_CONTENT_TYPE: text, OPENMETRICS_CONTENT_TYPE: openMetrics } = Registry;

/** How Prometheus 3 wants names written that older ones do not know: none of ours is such a name. */
const escaping = /;\s*escaping=[\w-]+/gi;

/** @param accept the request's header: OpenMetrics goes to whoever names it or likes it better. */
export async function render(snapshots: readonly Snapshot[], accept: string): Promise<Rendered> {
  const registry = new Registry<RegistryContentType>();
  if (chooseMediaType(accept.replaceAll(escaping, ''), [text, openMetrics]) === openMetrics) {
    registry.setContentType(openMetrics);
  }
  for (const { name, help, type, samples } of snapshots) {
    const values = samples.map(({ name: metricName, labels, value }) =>
      metricName === undefined ? { labels, value } : { metricName, labels, value },
    );
    // For OpenMetrics the registry takes `_total` from the name by changing this object, and puts it
    // back on each line: what it asks for must be the same object.
    const metric = { name, help, type, values };
    const registered = Object.assign(metric, { get: () => Promise.resolve(metric) });
    registry.registerMetric(registered as unknown as Parameters<Registry['registerMetric']>[0]);
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}
