/** The table and the plot of a soak. */

import type { Setting } from '../support/machine.ts';
import { table } from '../support/markdown.ts';
import type { Footprint } from './processes.ts';

export interface SoakSample {
  readonly second: number;
  /** In the order of the names. */
  readonly footprints: readonly Footprint[];
  readonly databaseConnections: number;
}

export interface Soak {
  readonly names: readonly string[];
  readonly samples: readonly SoakSample[];
  readonly requests: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly aborts: number;
}

const measures = ['residentMiB', 'descriptors', 'threads'] as const;
const labels = { residentMiB: 'resident, MiB', descriptors: 'descriptors', threads: 'threads' };

export function soakReport(settings: readonly Setting[], soak: Soak, plotFile: string): string {
  const { samples, names } = soak;
  const end = samples.at(-1)!.second;
  const early = between(samples, 120, 180);
  const late = between(samples, end - 60, end);
  const rows = names.flatMap((name, place) =>
    measures.map((measure) => [
      name,
      labels[measure],
      ...[early, late].map((some) =>
        mean(some.map(({ footprints }) => footprints[place]![measure])).toFixed(1),
      ),
    ]),
  );
  rows.push([
    'PostgreSQL',
    'connections of ours',
    ...[early, late].map((some) =>
      mean(some.map(({ databaseConnections }) => databaseConnections)).toFixed(1),
    ),
  ]);
  return [
    '# A soak',
    '',
    ...settings.map(({ label, value }) => `- ${label}: ${value}`),
    '',
    `${soak.requests} requests in ${end} s, ${soak.aborts} of them broken off by the client half way; ` +
      `answers: ${Object.entries(soak.statuses)
        .map(([status, count]) => `${status} × ${count}`)
        .join(', ')}.`,
    '',
    'Means of the third and of the last minute.',
    '',
    table(['process', 'what', 'minute 3', 'last minute'], rows),
    '',
    `![memory over time](${plotFile})`,
    '',
  ].join('\n');
}

const width = 900;
const height = 320;
const margin = 50;
const colours = ['#777777', '#1f77b4', '#d62728', '#2ca02c'];

/** The resident memory of each process over time; the axis starts at zero. */
export function soakPlot({ names, samples }: Soak): string {
  const end = samples.at(-1)!.second;
  const most = Math.max(
    ...samples.flatMap(({ footprints }) => footprints.map((f) => f.residentMiB)),
  );
  const top = Math.ceil(most / 50) * 50;
  const x = (second: number): string => (margin + (second / end) * (width - 2 * margin)).toFixed(1);
  const y = (mebibytes: number): string =>
    (height - margin - (mebibytes / top) * (height - 2 * margin)).toFixed(1);
  const lines = names.map((name, place) => {
    const points = samples
      .map(({ second, footprints }) => `${x(second)},${y(footprints[place]!.residentMiB)}`)
      .join(' ');
    const colour = colours[place % colours.length]!;
    return (
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points}"/>` +
      `<text x="${margin + 10}" y="${margin + 16 * place}" fill="${colour}">${name}</text>`
    );
  });
  const grid = Array.from({ length: 5 }, (_, step) => (top * step) / 4).map(
    (value) =>
      `<line x1="${margin}" x2="${width - margin}" y1="${y(value)}" y2="${y(value)}" stroke="#dddddd"/>` +
      `<text x="4" y="${y(value)}">${value} MiB</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11"><title>Resident memory over time</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...grid,
    ...lines,
    `<text x="${width - margin - 40}" y="${height - margin + 20}">${end} s</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function between(samples: readonly SoakSample[], from: number, to: number): readonly SoakSample[] {
  const some = samples.filter(({ second }) => second >= from && second <= to);
  return some.length > 0 ? some : samples.slice(-1);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
