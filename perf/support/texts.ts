/**
 * Does the service's background indexing at once, so that none is left at the start of a
 * measurement.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/database/client.ts';

const idsPerBatch = 20_000;
const busyMs = 50;

export async function indexAllTexts(sql: Client): Promise<void> {
  for (;;) {
    const taken = await indexTexts(sql, idsPerBatch);
    if (taken === 0) return;
    // The service is indexing.
    if (taken === null) await sleep(busyMs);
  }
}

/**
 * One batch. @returns the number of ids taken from the queue; `null`: another session is indexing.
 */
export async function indexTexts(sql: Client, most: number): Promise<number | null> {
  const [row] = await sql<{ taken: number | null }[]>`
    SELECT tasks_index_texts(${most}::integer) AS taken`;
  return row!.taken;
}
