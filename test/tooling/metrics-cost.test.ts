import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CostSample,
  metricsCostReport,
  sharesOf,
  type VariantName,
} from '../../perf/metrics-cost/report.ts';

function sample(round: number, variant: VariantName, rate: number): CostSample {
  return {
    round,
    variant,
    rate,
    requests: rate * 2,
    latencyUs: { p50: 100, p90: 150, p99: 300, p999: 400, max: 600 },
    cpuSeconds: { service: rate / 50_000 },
    idle: 0,
    stolen: 0,
  };
}

const samples = [
  sample(0, 'no metrics', 100_000),
  sample(0, 'metrics', 99_000),
  // A round in which the whole machine was slow.
  sample(1, 'metrics', 49_000),
  sample(1, 'no metrics', 50_000),
  sample(2, 'no metrics', 100_000),
  sample(2, 'metrics', 101_000),
  sample(2, 'metrics, profiles possible', 90_900),
];

test('a share is of the same round, and the median of the rounds is told with its spread', () => {
  const rateOf = ({ rate }: CostSample): number => rate;
  assert.deepEqual(sharesOf(samples, 'metrics', rateOf), { median: 0.99, min: 0.98, max: 1.01 });
  assert.deepEqual(sharesOf(samples, 'metrics, profiles possible', rateOf), {
    median: 0.9,
    min: 0.9,
    max: 0.9,
  });
  assert.equal(sharesOf(samples, 'no metrics', rateOf), undefined);
  assert.equal(sharesOf(samples, 'metrics, scraped each second', rateOf), undefined);
});

test('the table has each variant that was measured, beside what it is compared to', () => {
  const options = { rounds: 3, seconds: 2, connections: 64 };
  const text = metricsCostReport([{ label: 'command', value: 'x' }], options, samples, []);
  const lines = text.split('\n').filter((line) => /^\| (no )?metrics/.test(line));
  assert.deepEqual(
    lines.map((line) => line.split(' | ').slice(0, 4)),
    [
      ['| no metrics', 'no metrics', '100 000 (50 000..100 000)', ''],
      ['| metrics', 'no metrics', '99 000 (49 000..101 000)', '0.990 (0.980..1.010)'],
      [
        '| metrics, profiles possible',
        'metrics',
        '90 900 (90 900..90 900)',
        '0.900 (0.900..0.900)',
      ],
    ],
  );
});
