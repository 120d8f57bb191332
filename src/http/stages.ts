/** Where an exchange's time went. */
import type { Stages } from '../telemetry/slow-log.ts';
import type { Exchange } from './exchange.ts';

/** @param arrivedAt milliseconds of the monotonic clock, as `now`. */
export function stagesOf(exchange: Exchange, arrivedAt: number, now: number): Stages {
  const { sentAt, statementUs } = exchange;
  const totalMs = now - arrivedAt;
  const queueMs = sentAt === 0 ? totalMs : sentAt - arrivedAt;
  const statementMs = statementUs / 1000;
  return {
    queueMs: round(queueMs),
    statementMs: round(statementMs),
    replyMs: round(Math.max(0, totalMs - queueMs - statementMs)),
    totalMs: round(totalMs),
  };
}

/** To microseconds. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
