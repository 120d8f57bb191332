/**
 * The service on existing servers: each installed version, each way to create a database, and roles
 * with few privileges. The choice of servers: test/support/server-binaries.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createClient } from '../../src/database/client.ts';
import { migrateUp, migrationStatus } from '../../src/database/migrate/migrate.ts';
import { createApi } from '../support/api.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { faultOf } from '../support/definition.ts';
import { silentLog } from '../support/postgres.ts';
import { type ServerBinaries, serverBinaries } from '../support/server-binaries.ts';
import { complaintsOf, eventually, runToExit, startService } from '../support/service.ts';

const servers = serverBinaries();
for (const major of [15, 16, 17, 18]) {
  if (servers.some((server) => server.major === major)) continue;
  test(`PostgreSQL ${major}`, {
    skip: 'no such server here: PG_BIN names the folder of its programs',
  });
}
for (const server of servers) {
  // Most of each is waiting: for the text index, for the start.
  describe(`PostgreSQL ${server.version}`, { concurrency: 3 }, () => tryServer(server));
}

/**
 * For a server that is installed by chance, `make test` only tries what differs between versions.
 */
function tryServer({ major, bin, isAsked }: ServerBinaries): void {
  let cluster: Cluster;

  before(async () => {
    // The defaults in a plain container: SQL_ASCII, and only ASCII letters.
    cluster = await startCluster({
      bin,
      locale: ['--locale=C'],
      settings: ['wal_level = logical', 'fsync = off'],
    });
    await cluster.administer(
      "CREATE ROLE owner LOGIN PASSWORD ''",
      "CREATE ROLE stranger LOGIN PASSWORD ''",
    );
  });
  after(() => cluster?.stop('SIGQUIT'));

  const configOf = (name: string, user = 'postgres'): DatabaseConfig => ({
    host: '127.0.0.1',
    port: cluster.port,
    user,
    password: '',
    name,
    sslMode: 'disable',
    sslRootCert: null,
  });

  async function make(name: string, how: string): Promise<void> {
    await cluster.administer(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' ${how}`);
  }

  test('gets a database of our own making: UTF-8, and letters are letters', async () => {
    await tryService(configOf('made_by_us'));
    const [row] = await cluster.ask<Record<string, unknown>>(
      configOf('made_by_us'),
      `SELECT getdatabaseencoding() AS encoding, array_length(show_trgm('日本語の統計'), 1) > 3 AS letters`,
    );
    assert.deepEqual({ ...row }, { encoding: 'UTF8', letters: true });
  });

  const ways: Readonly<Record<string, string>> = {
    plain_c: "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'",
    icu: "LOCALE_PROVIDER icu ICU_LOCALE 'und' LC_COLLATE 'C' LC_CTYPE 'C'",
    icu_turkish: "LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
    ...(major >= 17 ? { builtin: "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'" } : {}),
  };
  for (const [name, how] of isAsked ? Object.entries(ways) : []) {
    test(`serves from a database made with ${how}`, async () => {
      await make(name, how);
      await tryService(configOf(name));
    });
  }

  for (const encoding of ['SQL_ASCII', 'LATIN1']) {
    test(`refuses a database with the encoding ${encoding}, in one line, and leaves it alone`, async () => {
      const name = `in_${encoding.toLowerCase()}`;
      await cluster.administer(
        `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`,
      );
      const database = configOf(name);
      const { code, log } = await runToExit({ database });
      assert.equal(code, 1);
      const errors = log.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1, JSON.stringify(log));
      assert.match(
        errors[0]!.message,
        new RegExp(`encoding ${encoding}, and the service needs UTF8`),
      );
      await assert.rejects(migrateUp(database, silentLog), /needs UTF8/);
      await assert.rejects(migrationStatus(database), /needs UTF8/);
      assert.deepEqual(
        await cluster.ask(
          database,
          `SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace`,
        ),
        [],
      );
    });
  }

  test('serves a role that owns its database and nothing else, and pg_trgm may be elsewhere', async () => {
    await make('owned', 'OWNER owner');
    await cluster.ask(configOf('owned'), 'CREATE SCHEMA "Other Things"');
    await cluster.ask(configOf('owned'), 'GRANT USAGE ON SCHEMA "Other Things" TO owner');
    await cluster.ask(configOf('owned'), 'CREATE EXTENSION pg_trgm SCHEMA "Other Things"');
    await tryService(configOf('owned', 'owner'));
  });

  test('tells a role what it may not: to make a database, or the extension', async () => {
    await assert.rejects(migrateUp(configOf('missing', 'stranger'), silentLog), {
      message: /role "stranger" may not create one: have an administrator run CREATE DATABASE/,
    });
    await make('foreign_owned', '');
    await cluster.ask(configOf('foreign_owned'), 'GRANT CREATE ON SCHEMA public TO stranger');
    await assert.rejects(migrateUp(configOf('foreign_owned', 'stranger'), silentLog), {
      message:
        /the role "stranger" cannot migrate .* have an administrator, .* run CREATE EXTENSION pg_trgm/,
    });
    await cluster.ask(configOf('foreign_owned'), 'CREATE EXTENSION pg_trgm');
    await tryService(configOf('foreign_owned', 'stranger'));
  });

  test('counts what logical replication brings, its first copy and TRUNCATE included', async () => {
    const [from, to] = [configOf('publisher'), configOf('subscriber')];
    await migrateUp(from, silentLog);
    await migrateUp(to, silentLog);
    const sql = createClient(from, { max: 1, applicationName: 'test', statementTimeoutMs: 30_000 });
    const subscriber = createClient(to, {
      max: 1,
      applicationName: 'test',
      statementTimeoutMs: 30_000,
    });
    /** Both have the same tasks, and the subscriber's counts match its tasks. */
    async function arrives(): Promise<void> {
      const text = `SELECT count(*), coalesce(sum(hashtext(id || status || title)::bigint), 0) AS sum FROM tasks`;
      const [sent] = await sql.unsafe(text);
      await eventually(async () => {
        const [got] = await subscriber.unsafe(text);
        return got!['count'] === sent!['count'] && got!['sum'] === sent!['sum'];
      }, 'the changes do not arrive');
      assert.equal(await faultOf(to), undefined);
    }
    try {
      await sql`INSERT INTO tasks (title) SELECT 'before ' || n FROM generate_series(1, 300) AS n`;
      await sql`CREATE PUBLICATION tasks_out FOR TABLE tasks`;
      await sql`SELECT pg_create_logical_replication_slot('tasks_out', 'pgoutput')`;
      await subscriber.unsafe(`
        CREATE SUBSCRIPTION tasks_in
        CONNECTION 'host=127.0.0.1 port=${cluster.port} user=postgres dbname=${from.name}'
        PUBLICATION tasks_out WITH (create_slot = false, slot_name = 'tasks_out')`);
      await arrives();
      await sql`INSERT INTO tasks (title, status) SELECT 'after ' || n, 'done' FROM generate_series(1, 3000) AS n`;
      await arrives();
      await sql`UPDATE tasks SET status = 'canceled', title = upper(title) WHERE id % 3 = 0`;
      await sql`DELETE FROM tasks WHERE id % 7 = 0`;
      await arrives();
      await sql.begin(async (session) => {
        await session`UPDATE tasks SET status = 'pending' WHERE id % 2 = 0`;
        await session`TRUNCATE tasks`;
        await session`INSERT INTO tasks (title) VALUES ('the last')`;
      });
      await arrives();
    } finally {
      await subscriber.unsafe('ALTER SUBSCRIPTION tasks_in DISABLE').catch(() => undefined);
      await subscriber
        .unsafe('ALTER SUBSCRIPTION tasks_in SET (slot_name = NONE)')
        .catch(() => undefined);
      await subscriber.unsafe('DROP SUBSCRIPTION tasks_in').catch(() => undefined);
      await Promise.all([sql.end({ timeout: 1 }), subscriber.end({ timeout: 1 })]);
    }
  });
}

/** CRUD, list, search and idempotency, with texts that some servers handle differently. */
async function tryService(database: DatabaseConfig): Promise<void> {
  // A publication of all tables must not block writes.
  const admin = { ...database, user: 'postgres' };
  const service = await startService({ database });
  const api = createApi(service.port);
  const sql = createClient(admin, { max: 1, applicationName: 'test', statementTimeoutMs: 30_000 });
  try {
    await sql`CREATE PUBLICATION everything FOR ALL TABLES`;
    const japanese = '統'.repeat(100);
    const id = await api.create({ title: japanese });
    assert.equal((await api.get(`/api/tasks/${id}`)).body.data.title, japanese);
    const titles = [
      'Überprüfen',
      'U\u0308berpru\u0308fen!',
      'ISTANBUL',
      'İstanbul',
      'ΣΊΣΥΦΟΣ',
      'straße',
    ];
    const made: number[] = [];
    for (const title of titles) made.push(await api.create({ title }));
    const finds = async (filter: string, expected: readonly number[]): Promise<void> => {
      const answer = await api.get(`/api/tasks?filter=${encodeURIComponent(filter)}`);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(
        answer.body.data.map((task) => task.id),
        expected,
        filter,
      );
    };
    const searches = async (): Promise<void> => {
      await finds('title:überprüfen', made.slice(0, 2));
      await finds('title:u\u0308BERPRU\u0308F', made.slice(0, 2));
      await finds('"berprüfen!"', made.slice(1, 2));
      await finds('istanbul', made.slice(2, 4));
      await finds('title:σίσυφος', made.slice(4, 5));
      await finds('title:σίσυφοσ', made.slice(4, 5));
      await finds('title:STRAẞE', made.slice(5, 6));
      await finds(`title:${'統'.repeat(50)}`, [id]);
      await finds(`title=${titles[0]}`, made.slice(0, 1));
      await finds('title=überprüfen', []);
    };
    await searches();
    await eventually(
      async () => (await sql`SELECT FROM tasks_unindexed LIMIT 1`).length === 0,
      'texts are not indexed',
    );
    await searches();

    const sorted = await api.get('/api/tasks?sort=title&per_page=100');
    const byCodePoint = [japanese, ...titles].sort((one, other) =>
      Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
    assert.deepEqual(
      sorted.body.data.map(({ title }) => title),
      byCodePoint,
    );

    const key = { headers: { 'Idempotency-Key': 'once' } };
    const first = await api.post({ title: 'ein Schlüssel' }, key);
    const second = await api.post({ title: 'ein Schlüssel' }, key);
    assert.equal(second.text, first.text);
    assert.equal(second.headers['idempotency-replayed'], 'true');
    assert.equal((await api.put(id, { title: 'geändert' })).body.data.title, 'geändert');
    assert.equal((await api.remove(id)).status, 204);
    assert.equal((await api.get('/api/tasks')).body.meta.total, titles.length + 1);
    assert.equal(await faultOf(admin), undefined);
    assert.deepEqual(complaintsOf(service), []);
  } finally {
    await sql.end({ timeout: 1 });
    api.close();
    await service.stop();
  }
}
