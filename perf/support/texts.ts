/** The work that a service does behind the writes, done at once: a measurement begins with none left. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/database/client.ts';

const idsPerBatch = 20_000;
const busyMs = 50;

export async function indexAllTexts(sql: Client): Promise<void> {
  for (;;) {
    const taken = await indexTexts(sql, idsPerBatch);
    if (taken === 0) return;
    // The service is at it.
    if (taken === null) await sleep(busyMs);
  }
}

/** One batch. @returns how many ids it took from the queue; `null`: somebody else is at it. */
export async function indexTexts(sql: Client, most: number): Promise<number | null> {
  const [row] = await sql<{ taken: number | null }[]>`
    SELECT tasks_index_texts(${most}::integer) AS taken`;
  return row!.taken;
}
