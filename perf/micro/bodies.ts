/** Example requests of clients. */
import type { RequestItem } from '../../src/batching/frames.ts';
import type { SeededTask } from '../seed/task.ts';

const nobody = new Uint8Array(0);

export function requestOf(item: Partial<RequestItem>): RequestItem {
  return { id: 0, flags: 0, body: nobody, extra: '', ...item };
}

export function bodyOf({ title, description, status, assigneeId }: SeededTask): Uint8Array {
  return Buffer.from(JSON.stringify({ title, description, status, assigneeID: assigneeId }));
}
