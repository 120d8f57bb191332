/** The work that a service does behind the writes, done at once: a measurement begins with none left. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/database/client.ts';
import { indexTexts } from '../../src/database/text-indexer.ts';

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
