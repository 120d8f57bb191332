/** How a statement of the request path is run. */
import { type Client, runStatement } from '../src/database/client.ts';
import type { TaskRow } from './task-fields.ts';

/** A row as the server wrote it. */
export type Values = readonly (string | null)[];

/** Parameters go as text: PostgreSQL parses them by the types that the statement names. */
export async function run(sql: Client, text: string, parameters: string[]): Promise<Values[]> {
  const rows = await runStatement(sql, text, parameters, true);
  return rows as unknown as Values[];
}

export function indexById(rows: readonly TaskRow[]): ReadonlyMap<number, TaskRow> {
  const byId = new Map<number, TaskRow>();
  for (const row of rows) byId.set(Number(row.id), row);
  return byId;
}
