/** Where the generation is: one row of PostgreSQL, on a connection that nothing else uses. */
import type { DatabaseConfig } from '../config.ts';
import { createLane } from '../database/lane.ts';
import { openPipeline, type Pipeline } from '../database/wire/pipeline.ts';
import { countOf, oneRow } from '../database/wire/row.ts';
import type { Generation } from './generation.ts';

export interface GenerationSourceOptions {
  readonly database: DatabaseConfig;
  readonly applicationName: string;
  /** A server that says nothing for this long is given up. */
  readonly timeoutMs: number;
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
 * it is read each time.
 */
const databaseText = 'SELECT oid FROM pg_database WHERE datname = current_database()';
/** By its key: the one row may stand in a table of many pages that are empty. */
const text =
  'SELECT generation, tableoid, pg_postmaster_start_time() FROM tasks_state WHERE only_row';
const pooledText = `
  SELECT generation, tableoid, pg_postmaster_start_time(), (${databaseText})
  FROM tasks_state WHERE only_row`;

export function createGenerationSource(options: GenerationSourceOptions): GenerationSource {
  const isPooled = options.database.pooler !== undefined;
  const lane = createLane(
    (onClose) =>
      openPipeline(options.database, {
        applicationName: `${options.applicationName} generation`,
        statementTimeoutMs: options.timeoutMs,
        settings: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' },
        onClose,
      }),
    options.timeoutMs,
  );

  const databases = new WeakMap<Pipeline, string>();

  async function readOnce(pipeline: Pipeline): Promise<Generation> {
    const database = databases.get(pipeline) ?? (await readDatabase(pipeline));
    const [number, table, start] = oneRow(await pipeline.run(text, []), 3);
    return { number: countOf(number!), era: `${database} ${table} ${start}` };
  }

  async function readAll(pipeline: Pipeline): Promise<Generation> {
    const [[number, table, start, database]] = (await pipeline.run(pooledText, [])) as [
      [string, string, string, string],
    ];
    return { number: Number(number), era: `${database} ${table} ${start}` };
  }

  async function readDatabase(pipeline: Pipeline): Promise<string> {
    const [database] = oneRow(await pipeline.run(databaseText, [], false), 1);
    databases.set(pipeline, database!);
    return database!;
  }

  return { read: () => lane.run(isPooled ? readAll : readOnce), close: () => lane.close() };
}
