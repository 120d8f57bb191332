/** Formats the comparison as text. */
import type { Row, Side, Table } from './compare.ts';

export interface Titles {
  readonly old: string;
  readonly new: string;
}

/** The sample is too small for an interval. */
const unknown = '∞';

export function formatTables(tables: readonly Table[], titles: Titles): string {
  return tables.map((table) => formatTable(table, titles)).join('\n');
}

function formatTable({ unit, rows, geomean }: Table, titles: Titles): string {
  const scale = scaleOf(unit);
  const lines = rows.map((row) => [
    row.name,
    formatSide(row.old, scale),
    formatSide(row.new, scale),
    formatDifference(row),
  ]);
  const mean = (value: number | undefined): string => (value === undefined ? '' : scale(value));
  const sum = geomean.ratio === undefined ? '' : formatPercent(geomean.ratio);
  return alignColumns([
    [unit, titles.old, titles.new, 'new against old'],
    ...lines,
    ...(rows.length > 1 ? [['geomean', mean(geomean.old), mean(geomean.new), sum]] : []),
  ]);
}

function formatSide(side: Side | undefined, scale: (value: number) => string): string {
  if (side === undefined) return '';
  const { median, low, high } = side.summary;
  return `${scale(median)} ± ${formatSpread(median, low, high)}`;
}

/** The larger distance from the median to an end of the interval. */
function formatSpread(median: number, low: number, high: number): string {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return unknown;
  if (low === high) return '0%';
  if (median === 0 || low < 0 !== median < 0) return '?';
  return `${(100 * Math.max(high / median - 1, 1 - low / median)).toFixed(0)}%`;
}

function formatDifference({ old, new: next, difference }: Row): string {
  if (difference === undefined || old === undefined || next === undefined) return '';
  const count =
    old.samples === next.samples ? `n=${old.samples}` : `n=${old.samples}+${next.samples}`;
  const change = difference.isDifferent ? formatPercent(difference.ratio) : '~';
  return `${change} (p=${difference.p.toFixed(3)} ${count})`;
}

function formatPercent(ratio: number): string {
  if (!Number.isFinite(ratio)) return '?';
  const percent = (ratio - 1) * 100;
  return `${percent < 0 ? '' : '+'}${percent.toFixed(2)}%`;
}

/** Scales nanoseconds and bytes to a unit with few digits. */
function scaleOf(unit: string): (value: number) => string {
  if (unit.startsWith('ns/')) return (value) => withPrefix(value / 1e9, timePrefixes);
  if (unit.startsWith('B/')) return (value) => withPrefix(value, bytePrefixes);
  return (value) => withPrefix(value, countPrefixes);
}

interface Prefix {
  readonly sign: string;
  readonly factor: number;
}

const timePrefixes: readonly Prefix[] = [
  { sign: 's', factor: 1 },
  { sign: 'ms', factor: 1e-3 },
  { sign: 'µs', factor: 1e-6 },
  { sign: 'ns', factor: 1e-9 },
];
const bytePrefixes: readonly Prefix[] = [
  { sign: 'GiB', factor: 2 ** 30 },
  { sign: 'MiB', factor: 2 ** 20 },
  { sign: 'KiB', factor: 2 ** 10 },
  { sign: 'B', factor: 1 },
];
const countPrefixes: readonly Prefix[] = [{ sign: '', factor: 1 }];

function withPrefix(value: number, prefixes: readonly Prefix[]): string {
  const { sign, factor } =
    prefixes.find((prefix) => Math.abs(value) >= prefix.factor) ?? prefixes.at(-1)!;
  return value === 0 ? `0${sign}` : `${fourDigits(value / factor)}${sign}`;
}

function fourDigits(value: number): string {
  const before = Math.max(1, Math.floor(Math.log10(Math.abs(value))) + 1);
  return value.toFixed(Math.max(0, 4 - before));
}

function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => [...line[column]!].length)),
  );
  return lines
    .map((line) => {
      const cells = line.map((cell, column) =>
        column === 0 || column === 3
          ? cell.padEnd(widths[column]!)
          : cell.padStart(widths[column]!),
      );
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}
