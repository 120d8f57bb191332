/** How much of the machine's time others had while it measured. */
import { spreadOf } from '../support/statistics.ts';
import type { ClosedSample } from './samples.ts';

export function disturbance(closed: readonly ClosedSample[]): string {
  const stolen = closed.flatMap((sample) => sample.stolen ?? []);
  if (stolen.length === 0) return 'This system does not tell how much of its time others took.';
  const { median, max } = spreadOf(stolen);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return `Time that the machine was lent to other guests: median ${percent(median)}, at most ${percent(max)}.`;
}
