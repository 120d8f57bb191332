/** Where the generation is: one row of PostgreSQL, most often on a connection that nothing else uses. */
import type { DatabaseConfig } from '../config/config.ts';
import { createLane, type Lane } from '../database/lane.ts';
import { openPipeline, type Pipeline } from '../database/pipeline/pipeline.ts';
import { countOf, oneRow } from '../database/pipeline/row.ts';
import type { Generation } from './generation.ts';

export interface GenerationSourceOptions {
  readonly database: DatabaseConfig;
  readonly applicationName: string;
  /** A server that says nothing for this long is given up. */
  readonly timeoutMs: number;
  /** A connection without work for this long is closed. */
  readonly idleMs?: number | undefined;
  /** A lane that others use too, where connections are few; default: a lane of its own. */
  readonly lane?: Lane | undefined;
}

export interface GenerationSource {
  /** Rejects when the database is away, or silent for too long. */
  read(): Promise<Generation>;
  close(): Promise<void>;
}

/**
 * The era is the start of the server and the table's own number: after a restore, a failover or a
 * crash that lost unsynchronised commits, a generation may come a second time with other data. The
 * database's number is a part of it too, for a copy of a database has the numbers of its tables;
 * it cannot change while a session lives. A pooler lends another session to each transaction, so there
 * it is read each time. And so is the file of the tasks: ALTER TABLE ... USING writes them anew, into
 * another file, and no trigger fires.
 */
const databaseText = 'SELECT oid FROM pg_database WHERE datname = current_database()';
const marks = `generation, tableoid, pg_relation_filenode('tasks'), pg_postmaster_start_time()`;
/** By its key: the one row may stand in a table of many pages that are empty. */
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
