/**
 * The numbers of one front end, in memory and in a file of its own. The file outlives the process:
 * whoever replaces it counts on from there, so no counter goes back, and the primary reads it at a
 * scrape, so a front end that is frozen or busy holds nobody up.
 *
 * What counts answers to clients is written right behind the batch that they came in, but at most
 * once a millisecond; the rest ten times a second. So a front end that is killed loses nothing that it
 * answered more than two milliseconds before (a timer of one may take two). Without that bound a busy
 * front end would write for every few answers, a microsecond each: with it metrics cost less than half
 * (perf/results/2026-11-26-metrics-cost.md is without).
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface MetricStore {
  readonly numbers: Float64Array;
  /** These numbers have changed and are to be in the file at once. @param end behind the last. */
  touch(begin: number, end: number): void;
  /** Writes all of them now. */
  write(): void;
  close(): void;
}

/** From one write to the next. */
const restMs = 1;

export function metricFile(folder: string, number: number): string {
  return join(folder, `front-end-${number}`);
}

/**
 * Begins with what the file has.
 * @param size of numbers. @param onFailure the file cannot be written; said once.
 */
export function openMetricStore(
  file: string,
  size: number,
  onFailure: (error: unknown) => void,
): MetricStore {
  const numbers = readNumbers(file, size) ?? new Float64Array(size);
  const bytes = new Uint8Array(numbers.buffer);
  let descriptor: number | undefined;
  let first = size;
  let last = 0;
  let scheduled = false;
  let writtenAt = 0;
  try {
    descriptor = openSync(file, existsSync(file) ? 'r+' : 'w+', 0o600);
  } catch (error) {
    onFailure(error);
  }
  writeRange(0, size);

  function touch(begin: number, end: number): void {
    if (begin < first) first = begin;
    if (end > last) last = end;
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(writeOrWait);
  }

  /** Called when the function that has counted has ended: once for all answers of a batch. */
  function writeOrWait(): void {
    if (performance.now() - writtenAt < restMs) setTimeout(writeTouched, restMs);
    else writeTouched();
  }

  function writeTouched(): void {
    writeRange(first, last);
    writtenAt = performance.now();
    scheduled = false;
    first = size;
    last = 0;
  }

  function writeRange(begin: number, end: number): void {
    if (descriptor === undefined || begin >= end) return;
    try {
      writeSync(descriptor, bytes, begin * 8, (end - begin) * 8, begin * 8);
    } catch (error) {
      // A full disk must not end the service.
      closeSync(descriptor);
      descriptor = undefined;
      onFailure(error);
    }
  }

  return {
    numbers,
    touch,
    write: () => writeRange(0, size),
    close() {
      if (descriptor === undefined) return;
      writeRange(0, size);
      closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** @returns `undefined`: there is no such file, or it is not whole yet. */
export function readNumbers(file: string, size: number): Float64Array | undefined {
  try {
    const bytes = readFileSync(file);
    if (bytes.length !== size * 8) return undefined;
    const numbers = new Float64Array(size);
    new Uint8Array(numbers.buffer).set(bytes);
    return numbers;
  } catch {
    return undefined;
  }
}
