/**
 * One connection a kind and thread, so that a slow list never holds up a read by id and a change
 * that waits for a lock never holds up a create. Batches of one kind are pipelined on it.
 */
import type { DatabaseConfig } from '../src/config.ts';
import { type Kind, kinds } from '../src/contract/endpoints.ts';
import { type Client, createClient } from '../src/database/client.ts';
import { warmListStatements, warmStatements } from './statements.ts';

export interface ExecutorOptions {
  readonly database: DatabaseConfig;
  /** Told to PostgreSQL, so that its activity view names the thread. */
  readonly applicationName: string;
  readonly statementTimeoutMs: number;
}

export interface Clients extends Readonly<Record<Kind, Client>> {
  /** Connects each and prepares its statements. Rejects when one cannot. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

export function createClients(options: ExecutorOptions): Clients {
  const open = (kind: Kind): Client =>
    createClient(options.database, {
      max: 1,
      applicationName: `${options.applicationName} ${kind}`,
      statementTimeoutMs: options.statementTimeoutMs,
    });
  const byKind: Readonly<Record<Kind, Client>> = {
    read: open('read'),
    create: open('create'),
    change: open('change'),
    remove: open('remove'),
    list: open('list'),
  };

  async function warm(): Promise<void> {
    await Promise.all(
      kinds.map((kind) => (kind === 'list' ? warmListStatements : warmStatements)(byKind[kind])),
    );
  }

  async function close(): Promise<void> {
    await Promise.all(kinds.map((kind) => byKind[kind].end({ timeout: 1 })));
  }

  return { ...byKind, warm, close };
}
