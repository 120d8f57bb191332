/** The table of the list at all sizes. */
import type { Setting } from '../support/machine.ts';
import { ratio, table } from '../support/markdown.ts';
import { spreadOf } from '../support/statistics.ts';
import type { ScaleSample } from './rounds.ts';
import { printSize } from './sizes.ts';

const slowMs = 100;

export function scaleReport(
  settings: readonly Setting[],
  sizes: readonly number[],
  rounds: number,
  samples: readonly ScaleSample[],
): string {
  const names = [...new Set(samples.map(({ name }) => name))];
  const of = (name: string, size: number): ScaleSample =>
    samples.find((sample) => sample.name === name && sample.size === size)!;
  const smallest = sizes[0]!;
  const largest = sizes.at(-1)!;
  const head = [
    'list',
    ...sizes.map((size) => `${printSize(size)}, ms (p95)`),
    `${printSize(largest)} ÷ ${printSize(smallest)}`,
    'total at the largest',
  ];
  const rows = names.map((name) => [
    name,
    ...sizes.map((size) => cell(of(name, size))),
    ratioOf(of(name, smallest), of(name, largest)),
    totalOf(of(name, largest)),
  ]);
  return `${[
    '# The list at scale',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `Median (and 95th percentile) of ${rounds} requests, fewer where a case took a minute, one ` +
      'connection to each size, in turns; nothing ' +
      'is cached by the service (CACHE_MAX_BYTES=0), everything that is hot by PostgreSQL and the ' +
      `system. Figures above ${slowMs} ms are bold. A total with + stopped at its bound and says ` +
      '`"total_exact": false`.',
    table(head, rows),
    '## What was asked of the largest',
    names.map((name) => `- ${name}: \`${of(name, largest).path}\``).join('\n'),
  ].join('\n\n')}\n`;
}

function cell(sample: ScaleSample): string {
  if (sample.status === 0) return '**no answer**';
  if (sample.status !== 200) return `**status ${sample.status}**`;
  if (!sample.complete) return '**not the tasks of the page**';
  const sorted = sample.times.toSorted((a, b) => a - b);
  const p95 = sorted[Math.floor(sorted.length * 0.95)]!;
  const { median } = spreadOf(sample.times);
  const text = `${milliseconds(median)} (${milliseconds(p95)})`;
  return median > slowMs ? `**${text}**` : text;
}

/** The duration of an error is meaningless. */
function ratioOf(small: ScaleSample, large: ScaleSample): string {
  if (![small, large].every(({ status, complete }) => status === 200 && complete)) return '–';
  return ratio(spreadOf(large.times).median / spreadOf(small.times).median);
}

function totalOf({ total, totalExact }: ScaleSample): string {
  return `${total ?? '–'}${totalExact ? '' : '+'}`;
}

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
