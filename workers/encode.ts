/** From rows to the bytes of answers. */
import type { Fault, ProblemFormat } from '../src/contract/problems.ts';
import { encodeProblem } from '../src/contract/problems.ts';
import { encodeTask, type TaskRow } from './task-fields.ts';

const head = '{"data":';
const tail = ',"meta":null,"message":"success","errors":[],"status":"ok"}';

export function encodeTaskAnswer(row: TaskRow): Uint8Array {
  return Buffer.from(head + encodeTask(row) + tail);
}

export function encodeFaults(
  faults: readonly [Fault, ...Fault[]],
  format: ProblemFormat,
): Uint8Array {
  return Buffer.from(encodeProblem(faults, format));
}
