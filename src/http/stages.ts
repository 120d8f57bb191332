/** Splits the duration of an exchange into stages. */
import type { Stages } from '../telemetry/slow-log.ts';
import type { Exchange } from './exchange.ts';

/**
 * The stages add up to the total. A request that joined a list read in flight waited only for the
 * rest of it.
 * @param arrivedAt milliseconds of `performance.now()`, like `now`.
 */
export function stagesOf(
  { sentAt, timing }: Pick<Exchange, 'sentAt' | 'timing'>,
  arrivedAt: number,
  now: number,
): Stages {
  const totalMs = now - arrivedAt;
  const replyMs = timing === undefined ? 0 : within(now - timing.endedAt, totalMs);
  const beforeMs = totalMs - replyMs;
  const queueMs = sentAt === 0 ? beforeMs : within(sentAt - arrivedAt, beforeMs);
  const statementMs = within((timing?.statementUs ?? 0) / 1000, beforeMs - queueMs);
  return {
    queueMs: round(queueMs),
    dispatchMs: round(beforeMs - queueMs - statementMs),
    statementMs: round(statementMs),
    replyMs: round(replyMs),
    totalMs: round(totalMs),
  };
}

function within(milliseconds: number, max: number): number {
  return Math.min(Math.max(0, milliseconds), max);
}

/** Rounds to microseconds. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
