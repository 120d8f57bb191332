/**
 * The head of every frame, in the machine's byte order:
 *
 *   count: u32
 *   statement: u32; in a response the microseconds that the database worked for the batch
 *   time: f64; in a request the first deadline, in a response the end of the last statement
 */
import type { StatementTiming } from '../base/statement-time.ts';

/** A buffer that owns its memory, so that it can be transferred to another thread. */
export type Frame = Uint8Array<ArrayBuffer>;

export const headBytes = 16;
const nobody = new Uint8Array(0);

/** @param doubles a view of the whole frame, like `words`. */
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

/** Milliseconds until the first request of a frame times out; at least 0. Any thread may call it. */
export function leftMsOf(frame: Frame): number {
  return Math.max(0, timeOf(frame) - sharedNow());
}

/** Milliseconds of a clock that all threads share: `performance.now()` starts at 0 in each thread. */
function sharedNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** The timing of a response frame, converted to the clock of the calling thread. */
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
