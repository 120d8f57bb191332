/** Runs the primary's check of the tables once. */
import type { DatabaseConfig } from '../../src/config/config.ts';
import { withLane } from '../../src/database/lane.ts';
import { findFault } from '../../src/database/maintenance/definition-watch.ts';
import { type Recount, recount } from '../../src/database/maintenance/recount.ts';

const options = { applicationName: 'test', statementTimeoutMs: 30_000 };

/** @returns `undefined`: the first blocks and their triggers are intact. */
export async function faultOf(database: DatabaseConfig): Promise<string | undefined> {
  const { fault } = await withLane(database, options, (pipeline) => findFault(pipeline, 0));
  return fault;
}

export function recountAll(database: DatabaseConfig): Promise<Recount> {
  return withLane(database, options, recount);
}
