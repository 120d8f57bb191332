/** Encodes rows as response bodies. */
import type { Fault, ProblemFormat } from '../contract/problems.ts';
import { encodeProblem } from '../contract/problems.ts';
import { encodeTask, type TaskRow } from './task-fields.ts';

const head = '{"data":';
const tail = ',"meta":null,"message":"success","errors":[],"status":"ok"}';

/** @param encoding of the row's texts: `latin1` if each character is one byte of UTF-8. */
export function encodeTaskAnswer(row: TaskRow, encoding: 'utf8' | 'latin1' = 'utf8'): Uint8Array {
  return Buffer.from(head + encodeTask(row) + tail, encoding);
}

export function encodeFaults(
  faults: readonly [Fault, ...Fault[]],
  format: ProblemFormat,
): Uint8Array {
  return Buffer.from(encodeProblem(faults, format));
}
