/** Formats tables and figures. */
import type { Spread } from './statistics.ts';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const ruler = head.map((_, place) => (place === 0 ? '---' : '---:'));
  return [line(head), line(ruler), ...rows.map(line)].join('\n');
}

/** For example `43 210 (41 000..44 100)`. */
export function withSpread(spread: Spread, format: (value: number) => string): string {
  return `${format(spread.median)} (${format(spread.min)}..${format(spread.max)})`;
}

export function whole(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

export function ratio(value: number): string {
  return value.toFixed(2);
}

export function microseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : whole(value);
}

export function connectionsTitle(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`;
}
