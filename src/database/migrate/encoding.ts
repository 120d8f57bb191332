/** Checks the encoding of the database. */
import type { Client } from '../client.ts';

/**
 * @throws an Error that says what to do when the encoding is not UTF-8. With another one, some
 * titles cannot be stored, or are counted, cut and compared byte by byte.
 */
export async function assertUtf8(sql: Client): Promise<void> {
  const [row] = await sql<{ name: string; encoding: string }[]>`
    SELECT current_database() AS name, getdatabaseencoding() AS encoding`;
  const { name, encoding } = row!;
  if (encoding === 'UTF8') return;
  throw new Error(
    `the database "${name}" has the encoding ${encoding}, and the service needs UTF8: name another ` +
      'database in DB_NAME, which the service makes itself, or make one by CREATE DATABASE ... ' +
      "TEMPLATE template0 ENCODING 'UTF8'; pg_dump and pg_restore move what is there",
  );
}
