import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventually } from '../support/service.ts';

let database: TestDatabase;

before(async () => {
  database = await createTestDatabase('client');
});

after(() => database?.drop());

test('a connection to PostgreSQL gives large integers and times as the text that the server writes', async () => {
  const [row] = await database.sql`
    SELECT 9223372036854775807 AS large, DATE '2024-02-29' AS day,
      TIMESTAMPTZ '2025-12-05 13:00:00.123456+01' AS time, TIMESTAMP 'infinity' AS never`;
  assert.deepEqual(
    { ...row },
    {
      large: '9223372036854775807',
      day: '2024-02-29',
      time: '2025-12-05 12:00:00.123456+00',
      never: 'infinity',
    },
  );
});

test('a connection to PostgreSQL has its name and limits on the server', async () => {
  const sql = createClient(database.config, {
    max: 1,
    applicationName: 'by this name',
    statementTimeoutMs: 1500,
  });
  const rows = await sql<{ name: string; setting: string }[]>`
    SELECT name, setting FROM pg_settings WHERE name IN
      ('application_name', 'statement_timeout', 'lock_timeout', 'TimeZone', 'jit',
       'idle_in_transaction_session_timeout') ORDER BY lower(name)`;
  await sql.end();
  assert.deepEqual(
    rows.map((row) => `${row.name}=${row.setting}`),
    [
      'application_name=by this name',
      'idle_in_transaction_session_timeout=60000',
      'jit=off',
      'lock_timeout=750',
      'statement_timeout=1500',
      'TimeZone=UTC',
    ],
  );
});

test('a connection to PostgreSQL does not look for a missing password in the environment', async () => {
  process.env['PGPASSWORD'] = 'not meant for us';
  // AuthenticationCleartextPassword (manual, "Message Formats").
  const { socket, seen } = await listen((client, bytes) => {
    if (bytes[0] === 'p'.charCodeAt(0)) client.end();
    else client.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
  });
  const sql = clientOf(socket);
  const outcome = sql`SELECT 1`.catch(() => undefined);
  while (seen.length < 2) await sleep(5);
  await sql.end({ timeout: 0 });
  await outcome;
  delete process.env['PGPASSWORD'];
  socket.close();
  assert.equal(seen[1], 'p\0\0\0\x05\0');
});

test('a connection to PostgreSQL is made again after the server has ended it', async () => {
  const sql = createClient(database.config, {
    max: 1,
    applicationName: 'ended',
    statementTimeoutMs: 5000,
  });
  const [before] = await sql<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  await database.sql`SELECT pg_terminate_backend(${before!.pid}, 5000)`;
  // The first errors may come from the ended session (postgres.js).
  const isBack = () =>
    sql`SELECT 1`.then(
      () => true,
      () => false,
    );
  await eventually(isBack, 'there is no new connection');
  await sql.end();
});

test('a server that cannot be used is given up at once when it closes without a word, and not asked again and again', async () => {
  const { socket, seen } = await listen((client) => client.end());
  await assert.rejects(query(socket), { code: 'ECONNREFUSED', message: /without an answer/ });
  assert.equal(seen.length, 1);
  socket.close();
});

for (const sslMode of ['require', 'verify-ca', 'verify-full'] as const) {
  test(`a server that cannot be used gets no plain text from us when it has no TLS and sslmode is ${sslMode}`, async () => {
    const { socket, seen } = await listen((client, bytes) => {
      // SSLRequest is 8 bytes long; N refuses it (manual, "SSL Session Encryption").
      if (bytes.length === 8) client.write('N');
      else client.end();
    });
    await assert.rejects(query(socket, { sslMode, user: 'secret_name' }));
    assert.doesNotMatch(seen.join(), /secret_name/);
    socket.close();
  });
}

/** @returns a server that passes each chunk to `answer`, and the received chunks. */
async function listen(
  answer: (client: Socket, bytes: Buffer) => void,
): Promise<{ socket: Server; seen: string[] }> {
  const seen: string[] = [];
  const socket = createServer((client) => {
    client.on('error', () => {});
    client.on('data', (bytes) => {
      seen.push(bytes.toString('latin1'));
      answer(client, bytes);
    });
  });
  socket.listen(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, seen };
}

async function query(socket: Server, changes: Partial<DatabaseConfig> = {}): Promise<unknown> {
  const sql = clientOf(socket, changes);
  try {
    return await sql`SELECT 1`;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

function clientOf(socket: Server, changes: Partial<DatabaseConfig> = {}): Client {
  const { port } = socket.address() as { port: number };
  const config: DatabaseConfig = {
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: '',
    name: 'tasks',
    sslMode: 'disable',
    sslRootCert: null,
    ...changes,
  };
  return createClient(config, { max: 1, applicationName: 'test', statementTimeoutMs: 1000 });
}
