/** Reads the generation: one row in PostgreSQL, most often on a connection of its own. */
import type { DatabaseConfig } from '../config/config.ts';
import { createLane, type Lane } from '../database/lane.ts';
import { openPipeline, type Pipeline } from '../database/pipeline/pipeline.ts';
import { countOf, oneRow } from '../database/pipeline/row.ts';
import type { Generation } from './generation.ts';

export interface GenerationSourceOptions {
  readonly database: DatabaseConfig;
  readonly applicationName: string;
  /** A server that is silent for this long is abandoned. */
  readonly timeoutMs: number;
  /** A connection idle for this long is closed. */
  readonly idleMs?: number | undefined;
  /** A lane shared with other work, for a small connection budget; default: a separate lane. */
  readonly lane?: Lane | undefined;
}

export interface GenerationSource {
  /** Rejects when the database is down or silent for too long. */
  read(): Promise<Generation>;
  close(): Promise<void>;
}

/**
 * The era has the server's start time and the OID of tasks_state. After a restore, a failover, or a
 * crash that lost unsynchronised commits, the same generation can stand for other data. It has the
 * database's OID, because a copied database keeps the OIDs of its tables. That cannot change during
 * a session, so it is read once; a transaction pooler changes the session, so there it is read each
 * time. It has the file number of the tasks: ALTER TABLE ... USING rewrites them into another file
 * without firing a trigger.
 */
const databaseText = 'SELECT oid FROM pg_database WHERE datname = current_database()';
const marks = `generation, tableoid, pg_relation_filenode('tasks'), pg_postmaster_start_time()`;
/** By the key: a sequential scan would read all empty pages of the table. */
const text = `SELECT ${marks} FROM tasks_state WHERE only_row`;
const pooledText = `SELECT ${marks}, (${databaseText}) FROM tasks_state WHERE only_row`;

export function createGenerationSource(options: GenerationSourceOptions): GenerationSource {
  const isPooled = options.database.pooler !== undefined;
  const own = options.lane === undefined ? openOwnLane(options) : undefined;
  const lane = own ?? options.lane!;
  const databases = new WeakMap<Pipeline, string>();

  async function readOnce(pipeline: Pipeline): Promise<Generation> {
    const database = databases.get(pipeline) ?? (await readDatabase(pipeline));
    const [number, ...others] = oneRow(await pipeline.run(text, []), 4);
    return { number: countOf(number!), era: [database, ...others].join(' ') };
  }

  async function readAll(pipeline: Pipeline): Promise<Generation> {
    const [number, ...others] = oneRow(await pipeline.run(pooledText, []), 5);
    return { number: countOf(number!), era: [others.pop(), ...others].join(' ') };
  }

  async function readDatabase(pipeline: Pipeline): Promise<string> {
    const [database] = oneRow(await pipeline.run(databaseText, [], false), 1);
    databases.set(pipeline, database!);
    return database!;
  }

  return {
    read: () => lane.run(isPooled ? readAll : readOnce),
    async close() {
      await own?.close();
    },
  };
}

function openOwnLane({ database, applicationName, timeoutMs, idleMs }: GenerationSourceOptions) {
  return createLane(
    (onClose) =>
      openPipeline(database, {
        applicationName: `${applicationName} generation`,
        statementTimeoutMs: timeoutMs,
        settings: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' },
        onClose,
      }),
    timeoutMs,
    idleMs,
  );
}
