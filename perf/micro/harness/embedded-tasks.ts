/** The embedded PostgreSQL of the benchmarks, started by the first one that needs it. */
import { resolve } from 'node:path';
import { type EmbeddedDatabase, startEmbedded } from '../../../src/embedded/embedded.ts';
import { createLogger } from '../../../src/telemetry/log.ts';
import { openTaskDatabase, type TaskDatabase } from './database.ts';

export interface EmbeddedTasks {
  /** Returns the same database each time. Rejects each time if it is not available. */
  open(): Promise<TaskDatabase>;
  close(): Promise<void>;
}

export function createEmbeddedTasks(dataDir: string): EmbeddedTasks {
  let embedded: EmbeddedDatabase | undefined;
  let opening: Promise<TaskDatabase> | undefined;

  async function start(): Promise<TaskDatabase> {
    const log = createLogger({ level: 'warn', role: 'benchmarks' });
    embedded = await startEmbedded({ dataDir: resolve(dataDir), log });
    return openTaskDatabase(embedded.config);
  }

  function open(): Promise<TaskDatabase> {
    opening ??= start();
    return opening;
  }

  async function close(): Promise<void> {
    const database = await opening?.catch(() => undefined);
    await database?.close();
    await embedded?.stop();
  }

  return { open, close };
}
