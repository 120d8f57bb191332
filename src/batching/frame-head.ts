/**
 * What every frame begins with, in the machine's own byte order:
 *
 *   count: u32
 *   statement: u32, of answers: the microseconds that the database worked for them
 *   time: f64, of requests: when the first answer is due; of answers: when the last statement ended
 */
import type { StatementTiming } from '../base/statement-time.ts';

/** A buffer that owns its memory, so that it can be transferred to another thread. */
export type Frame = Uint8Array<ArrayBuffer>;

export const headBytes = 16;
const nobody = new Uint8Array(0);

/** @param doubles a view of the frame from its beginning, as `words` is. */
export function writeDue(doubles: Float64Array, leftMs: number): void {
  doubles[1] = sharedNow() + leftMs;
}

export function writeTiming(
  doubles: Float64Array,
  words: Uint32Array,
  { statementUs, endedAt }: StatementTiming,
): void {
  words[1] = statementUs;
  doubles[1] = sharedNow() - (performance.now() - endedAt);
}

/** What is left to answer the requests of a frame, wherever it has waited. */
export function leftMsOf(frame: Frame): number {
  return Math.max(0, timeOf(frame) - sharedNow());
}

/** Milliseconds of a clock that all threads share: `performance.now()` begins anew in each. */
function sharedNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Of a response frame, by the clock of the thread that asks. */
export function timingOf(frame: Frame): StatementTiming {
  const statementUs = new Uint32Array(frame.buffer, frame.byteOffset, 2)[1]!;
  return { statementUs, endedAt: performance.now() - (sharedNow() - timeOf(frame)) };
}

function timeOf(frame: Frame): number {
  return new Float64Array(frame.buffer, frame.byteOffset, 2)[1]!;
}

export function recordViews(frame: Frame, recordBytes: number) {
  const count = new Uint32Array(frame.buffer, frame.byteOffset, 1)[0]!;
  const bytes = headBytes + count * recordBytes;
  return {
    doubles: new Float64Array(frame.buffer, frame.byteOffset, bytes / 8),
    words: new Uint32Array(frame.buffer, frame.byteOffset, bytes / 4),
  };
}

export function bodyAt(frame: Frame, offset: number, length: number): Uint8Array {
  return length === 0 ? nobody : frame.subarray(offset, offset + length);
}
