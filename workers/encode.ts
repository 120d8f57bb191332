/** From rows to the bytes of answers. */
import type { Fault, ProblemFormat } from '../src/contract/problems.ts';
import { encodeProblem } from '../src/contract/problems.ts';
import type { TaskRow } from './rows.ts';

/** What stands around a task. */
export const answerHead = '{"data":';
export const answerTail = ',"meta":null,"message":"success","errors":[],"status":"ok"}';

export function encodeTaskAnswer(row: TaskRow): Uint8Array {
  return Buffer.from(answerHead + encodeTask(row) + answerTail);
}

export function encodeFaults(
  faults: readonly [Fault, ...Fault[]],
  format: ProblemFormat,
): Uint8Array {
  return Buffer.from(encodeProblem(faults, format));
}

/** Written out, because only the two texts need escaping: perf/micro/encode.ts has both ways. */
export function encodeTask(row: TaskRow): string {
  return (
    `{"id":${row.id},"title":${JSON.stringify(row.title)},` +
    `"description":${JSON.stringify(row.description)},"status":"${row.status}",` +
    `"assigneeID":${row.assigneeId},"createdAt":"${toRfc3339(row.createdAt)}",` +
    `"updatedAt":"${toRfc3339(row.updatedAt)}"}`
  );
}

/**
 * PostgreSQL's `2025-12-05 12:00:00.12+00` (DateStyle ISO, TimeZone UTC, timestamptz(3)) to
 * `2025-12-05T12:00:00.120Z`, without a Date in between.
 */
export function toRfc3339(timestamp: string): string {
  const fraction = timestamp.slice(20, -3);
  return `${timestamp.slice(0, 10)}T${timestamp.slice(11, 19)}.${fraction.padEnd(3, '0')}Z`;
}
