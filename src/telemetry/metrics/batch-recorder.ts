/** Counts the batches of one kind. */
import { type BatchSlots, latencyBounds, sizeBounds } from './front-end-layout.ts';
import { observe } from './layout.ts';

export interface BatchRecorder {
  /** @param deadline of the first request in the batch. */
  sent(size: number, deadline: number, now: number): void;
  executed(isLocal: boolean): void;
  /** @param timing a batch without a statement is not counted. */
  answered(timing: { readonly statementUs: number }): void;
  lost(): void;
  /** @param requests that were rejected because the queue was full or too slow. */
  refused(requests: number): void;
}

/** @param requestTimeoutMs the arrival of a request is its deadline minus this. */
export function createBatchRecorder(
  slots: BatchSlots,
  numbers: Float64Array,
  requestTimeoutMs: number,
): BatchRecorder {
  return {
    sent(size, deadline, now) {
      observe(numbers, slots.sizes, sizeBounds, size);
      observe(numbers, slots.waits, latencyBounds, (now - deadline + requestTimeoutMs) / 1000);
    },
    executed(isLocal) {
      numbers[isLocal ? slots.local : slots.offloaded]!++;
    },
    answered({ statementUs }) {
      if (statementUs > 0) observe(numbers, slots.statements, latencyBounds, statementUs / 1e6);
    },
    lost() {
      numbers[slots.lost]!++;
    },
    refused(requests) {
      numbers[slots.refused]! += requests;
    },
  };
}
