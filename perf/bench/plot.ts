/** A bar chart of requests per second with the spread of the rounds, grouped by operation. */
import { whole } from '../support/markdown.ts';
import { spreadOf } from '../support/statistics.ts';
import { closedOf } from './compare-samples.ts';
import { inOrder, titleOf } from './names.ts';
import { operationNames, operations } from './operations.ts';
import type { BenchSamples } from './samples.ts';
import { oursName } from './subjects.ts';

const width = 900;
const labelWidth = 290;
const barWidth = 480;
const rowHeight = 18;
const groupGap = 40;
const colours = { ours: '#d62728', peer: '#1f77b4', limit: '#aaaaaa' } as const;

export function plot(samples: BenchSamples): string {
  const parts: string[] = [];
  let y = 10;
  for (const operation of operationNames) {
    for (const connections of operations[operation].connections.filter((count) => count > 1)) {
      const group = samples.closed.filter(
        (sample) => sample.operation === operation && sample.connections > 1,
      );
      // For pgbench: clients.
      const places = inOrder(group)
        .filter(
          (sample) => sample.subject.startsWith('pgbench') || sample.connections === connections,
        )
        .map(({ subject, connections: count }) => `${subject} ${count}`);
      const rows = [...new Set(places)].map((place) => {
        const [subject, count] = place.split(' ') as [string, string];
        const own = closedOf(samples, { operation, connections: Number(count) }, subject);
        return { subject, count, rate: spreadOf(own.map(({ rate }) => rate)) };
      });
      if (rows.length === 0) continue;
      const most = Math.max(...rows.map(({ rate }) => rate.max));
      y += groupGap;
      parts.push(
        `<text x="10" y="${y - 10}" font-weight="bold">${operations[operation].title}, ${connections} connections, requests/s</text>`,
      );
      for (const { subject, count, rate } of rows) {
        const x = (value: number): string => (labelWidth + (value / most) * barWidth).toFixed(1);
        const isPgbench = subject.startsWith('pgbench');
        const title = titleOf(subject) + (isPgbench ? `, ${count} clients` : '');
        const middle = y + rowHeight / 2 - 2;
        parts.push(
          `<text x="${labelWidth - 8}" y="${y + 11}" text-anchor="end">${title}</text>`,
          `<rect x="${labelWidth}" y="${y}" width="${(Number(x(rate.median)) - labelWidth).toFixed(1)}" height="${rowHeight - 4}" fill="${colourOf(subject)}"/>`,
          `<line x1="${x(rate.min)}" x2="${x(rate.max)}" y1="${middle}" y2="${middle}" stroke="black"/>`,
          `<text x="${Number(x(rate.max)) + 6}" y="${y + 11}">${whole(rate.median)}</text>`,
        );
        y += rowHeight;
      }
    }
  }
  const height = y + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11"><title>Requests a second: ourselves, peers and limits</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function colourOf(subject: string): string {
  if (subject === oursName) return colours.ours;
  return titleOf(subject).startsWith('limit') ? colours.limit : colours.peer;
}
