/** Detects what is in front of the database: it is used as it is, or rejected with its name. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createClient } from '../../src/database/client.ts';
import { removeExpiredKeys } from '../../src/database/maintenance/expired-keys.ts';
import { migrateDown, migrateUp, migrationStatus } from '../../src/database/migrate/migrate.ts';
import { openPipeline, type Pipeline } from '../../src/database/pipeline/pipeline.ts';
import { assertPooling } from '../../src/database/pooling.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import {
  oldPgBouncer,
  type PgBouncer,
  presentPgBouncer,
  startPgBouncer,
  withoutProgram,
} from '../support/pgbouncer.ts';
import { silentLog } from '../support/postgres.ts';
import { runToExit } from '../support/service.ts';

let cluster: Cluster;
let database: DatabaseConfig;

before(async () => {
  cluster = await startCluster();
  database = await cluster.database('pooled');
  await cluster.ask(
    database,
    `INSERT INTO tasks (title) SELECT 'kept ' || n FROM generate_series(1, 161) AS n`,
  );
});

const cli = resolve(import.meta.dirname, '../../src/database/cli.js');
const withoutPresent = withoutProgram(presentPgBouncer, '1.21 or newer');
const withoutOld = withoutProgram(oldPgBouncer, 'before 1.21');
const inTransactions = ['pool_mode = transaction', 'default_pool_size = 5'];
/** A common setting that drops unknown parameters silently. */
const ignoring =
  'ignore_startup_parameters = extra_float_digits,statement_timeout,lock_timeout,' +
  'idle_in_transaction_session_timeout,default_transaction_isolation,jit,plan_cache_mode,' +
  'enable_seqscan,enable_bitmapscan,enable_sort,max_parallel_workers_per_gather,options';

const namesVariable = /DB_POOLER=transaction.*PgBouncer 1\.21/;
const namesVersion =
  /DB_POOLER=transaction needs PgBouncer 1\.21 or newer with max_prepared_statements/;

function pooled(config: DatabaseConfig): DatabaseConfig {
  return { ...config, pooler: 'transaction' };
}

/** As another client of the same pooler, without the service's settings. */
async function askAsOther(config: DatabaseConfig, text: string): Promise<unknown[][]> {
  const sql = createClient(config, {
    max: 1,
    applicationName: 'other',
    statementTimeoutMs: 0,
    isPlain: true,
  });
  try {
    return [...(await sql.unsafe(text).values())];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function withPipeline<Result>(
  config: DatabaseConfig,
  use: (pipeline: Pipeline) => Promise<Result>,
): Promise<Result> {
  const pipeline = openPipeline(config, {
    applicationName: 'pooling',
    statementTimeoutMs: 4321,
    settings: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' },
    onClose: () => undefined,
  });
  try {
    return await use(pipeline);
  } finally {
    await pipeline.close();
  }
}

const inForce = `
  SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
    current_setting('plan_cache_mode'), current_setting('enable_seqscan'),
    current_setting('TimeZone'), current_setting('jit')`;
const wanted = [['4321ms', '2161ms', 'force_generic_plan', 'off', 'UTC', 'off']];

test('the server itself is taken, with and without DB_POOLER', async () => {
  assert.equal(await assertPooling(database, database), true);
  assert.equal(await assertPooling(pooled(database), database), true);
  assert.equal(await assertPooling({ ...database, name: 'none' }, database), false);
});

test('the server itself has the settings in force either way', async () => {
  for (const config of [database, pooled(database)]) {
    assert.deepEqual(await withPipeline(config, (pipeline) => pipeline.run(inForce, [])), wanted);
  }
});

test('the server itself is refused where a default of the role cannot be changed for each transaction', async () => {
  await cluster.administer(
    'CREATE ROLE careful LOGIN SUPERUSER',
    "ALTER ROLE careful SET default_transaction_isolation = 'serializable'",
  );
  const careful = { ...database, user: 'careful' };
  await assert.rejects(
    assertPooling(pooled(careful), careful),
    /ALTER ROLE "careful" SET default_transaction_isolation = 'read committed'/,
  );
  await assertPooling(careful, careful);
  const [[isolation]] = (await withPipeline(careful, (pipeline) =>
    pipeline.run('SHOW transaction_isolation', []),
  )) as [[string]];
  assert.equal(isolation, 'read committed');
});

test('the server itself is not another one than the direct way leads to', async () => {
  const other = await startCluster();
  const elsewhere = await other.database('pooled');
  await assert.rejects(assertPooling(database, elsewhere), /DB_DIRECT_HOST leads to another/);
  await other.stop();
});

test('a pooler that refuses even the name of a connection is not waited for', async (t) => {
  const fields = 'SFATAL\0C08P01\0Munsupported startup parameter: application_name\0\0';
  const refusal = Buffer.from(
    `E\0\0\0${String.fromCharCode(4 + fields.length)}${fields}`,
    'latin1',
  );
  const pooler = createServer((client) => {
    client.on('error', () => undefined);
    client.once('data', () => client.end(refusal));
  }).listen(0, '127.0.0.1');
  t.after(() => pooler.close());
  await once(pooler, 'listening');
  const { port } = pooler.address() as { port: number };
  const served = { ...database, port };
  const { code, log } = await runToExit({ database: served });
  assert.equal(code, 1);
  assert.match(log.find(({ level }) => level === 'error')!.message, /startup parameter/);
});

describe('PgBouncer that lends sessions to transactions', { skip: withoutPresent }, () => {
  let bouncer: PgBouncer;
  let served: DatabaseConfig;

  before(async () => {
    bouncer = await startPgBouncer({
      program: presentPgBouncer!,
      cluster,
      settings: inTransactions,
    });
    served = bouncer.through(database);
  });

  test('is refused without DB_POOLER, by the service and by its commands', async () => {
    await assert.rejects(assertPooling(served, served), namesVariable);
    await expectRefused(served, {}, namesVariable);
    for (const command of ['migrate-up', 'migrate-down', 'status', 'up']) {
      const { status, stdout } = spawnSync(process.execPath, [cli, command], {
        encoding: 'utf8',
        env: {
          ...process.env,
          DB_HOST: served.host,
          DB_PORT: String(served.port),
          DB_NAME: served.name,
        },
      });
      assert.equal(status, 1, command);
      assert.match(stdout, namesVariable);
    }
    assert.deepEqual((await migrationStatus(database)).pending, []);
  });

  test('is taken with DB_POOLER, and finds no database before there is one', async () => {
    assert.equal(await assertPooling(pooled(served), served), true);
    assert.equal(await assertPooling(pooled(served), database), true);
    assert.equal(await assertPooling(pooled({ ...served, name: 'none' }), served), false);
  });

  test('is refused with max_prepared_statements = 0', async () => {
    const forgetful = await startPgBouncer({
      program: presentPgBouncer!,
      cluster,
      settings: [...inTransactions, 'max_prepared_statements = 0'],
    });
    await expectRefused(forgetful.through(database), { DB_POOLER: 'transaction' }, namesVersion);
    await expectNothingLeft(forgetful.through(database));
    await forgetful.stop();
  });

  test('has settings in force in each transaction, and afterwards as before', async () => {
    const text =
      "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY name";
    const before = await askAsOther(served, text);
    for (let time = 0; time < 20; time++) {
      const rows = await withPipeline(pooled(served), (pipeline) =>
        Promise.all([pipeline.run(inForce, []), pipeline.run(inForce, [], false)]),
      );
      assert.deepEqual(rows, [wanted, wanted]);
    }
    assert.deepEqual(await askAsOther(served, text), before);
    const ours = await withPipeline(pooled(served), async (pipeline) => {
      await pipeline.runAlone(`CREATE TABLE seen AS ${text}`);
      return pipeline.run('SELECT name, setting FROM seen ORDER BY name', []);
    });
    assert.deepEqual(ours, before);
  });

  test('throws statements away, and they run all the same', async () => {
    const narrow = await startPgBouncer({
      program: presentPgBouncer!,
      cluster,
      settings: ['pool_mode = transaction', 'default_pool_size = 1', 'max_prepared_statements = 2'],
    });
    await withPipeline(pooled(narrow.through(database)), async (pipeline) => {
      const numbers = Array.from({ length: 12 }, (_, number) => number);
      for (let time = 0; time < 3; time++) {
        const rows = await Promise.all(
          numbers.map((number) => pipeline.run(`SELECT ${number}, $1::text`, ['x'])),
        );
        assert.deepEqual(
          rows,
          numbers.map((number) => [[String(number), 'x']]),
        );
      }
    });
    await narrow.stop();
  });

  test('keeps statements of tables that were altered: they are parsed anew', async () => {
    await cluster.ask(database, 'CREATE TABLE altered AS SELECT 1 AS number');
    await withPipeline(pooled(served), async (pipeline) => {
      const text = 'SELECT number FROM altered';
      assert.deepEqual(await pipeline.run(text, []), [['1']]);
      await cluster.ask(database, `ALTER TABLE altered ALTER number TYPE text USING 'one'`);
      for (let time = 0; time < 3; time++)
        assert.deepEqual(await pipeline.run(text, []), [['one']]);
      // Another connection meets the pooler's kept statements.
      await withPipeline(pooled(served), async (other) => {
        assert.deepEqual(await other.run(text, []), [['one']]);
      });
    });
  });

  test('has forgotten statements on a server connection: they are parsed anew', async () => {
    await withPipeline(pooled(served), async (pipeline) => {
      assert.deepEqual(await pipeline.run('SELECT 41 + 1', []), [['42']]);
      await pipeline.runAlone(
        'DO $$ DECLARE name text; BEGIN FOR name IN SELECT s.name FROM pg_prepared_statements s ' +
          "LOOP EXECUTE format('DEALLOCATE %I', name); END LOOP; END $$",
      );
      assert.deepEqual(await pipeline.run('SELECT 41 + 1', []), [['42']]);
    });
  });

  for (const [way, direct] of [
    ['through it', (config: DatabaseConfig) => pooled(bouncer.through(config))],
    ['past it', (config: DatabaseConfig) => config],
  ] as const) {
    test(`lets ${way} a database be made, migrated and looked after`, async () => {
      const fresh = { ...database, name: `fresh_${way.replaceAll(' ', '_')}` };
      const config = direct(fresh);
      const ran = await migrateUp(config, silentLog);
      assert.ok(ran > 0);
      assert.deepEqual((await migrationStatus(config)).pending, []);
      assert.equal(await migrateDown(config, silentLog, ran), ran);
      const [one, two] = await Promise.all([
        migrateUp(config, silentLog),
        migrateUp(config, silentLog),
      ]);
      assert.equal(one + two, ran);
      await cluster.ask(
        fresh,
        `INSERT INTO idempotency_keys (key, fingerprint, task_id, created_at)
          SELECT 'old ' || n, '', n, now() - interval '2 days' FROM generate_series(1, 9) AS n`,
      );
      await withPipeline(config, async (pipeline) => {
        const lane = { run: <Result>(use: (own: Pipeline) => Promise<Result>) => use(pipeline) };
        assert.equal(await removeExpiredKeys(lane, 24), 9);
        await pipeline.run('SELECT tasks_index_texts($1::integer)', ['100']);
        await pipeline.runAlone('VACUUM tasks_unindexed');
      });
    });
  }
});

describe('PgBouncer that lends sessions to connections', { skip: withoutPresent }, () => {
  for (const [what, settings] of [
    ['as it comes', []],
    ['that drops settings', [ignoring]],
  ] as const) {
    test(`is taken ${what}, without and with DB_POOLER, and has settings in force`, async () => {
      const bouncer = await startPgBouncer({ program: presentPgBouncer!, cluster, settings });
      const served = bouncer.through(database);
      assert.equal(await assertPooling(served, served), true);
      assert.equal(await assertPooling(pooled(served), served), true);
      assert.deepEqual(await withPipeline(served, (pipeline) => pipeline.run(inForce, [])), wanted);
      assert.deepEqual((await migrationStatus(served)).pending, []);
      await bouncer.stop();
    });
  }
});

describe('PgBouncer before 1.21', { skip: withoutOld }, () => {
  test('is refused where it lends sessions to transactions, with and without DB_POOLER', async () => {
    const bouncer = await startPgBouncer({
      program: oldPgBouncer!,
      cluster,
      settings: [...inTransactions, ignoring],
    });
    const served = bouncer.through(database);
    await expectRefused(served, {}, namesVariable);
    await expectRefused(served, { DB_POOLER: 'transaction' }, namesVersion);
    await expectNothingLeft(served);
    await bouncer.stop();
  });

  test('is taken where it lends them to connections', async () => {
    const bouncer = await startPgBouncer({ program: oldPgBouncer!, cluster });
    const served = bouncer.through(database);
    assert.equal(await assertPooling(served, served), true);
    assert.deepEqual(await withPipeline(served, (pipeline) => pipeline.run(inForce, [])), wanted);
    await bouncer.stop();
  });
});

/** The service exits with 1 and one line with the reason, and the table is unchanged. */
async function expectRefused(
  served: DatabaseConfig,
  env: Readonly<Record<string, string>>,
  message: RegExp,
): Promise<void> {
  const count = () =>
    cluster.ask(database, 'SELECT count(*), max(version), max(updated_at) FROM tasks');
  const before = await count();
  const { code, log } = await runToExit({ database: served, env });
  assert.equal(code, 1);
  const errors = log.filter(({ level }) => level === 'error');
  assert.equal(errors.length, 1, JSON.stringify(log));
  assert.match(errors[0]!.message, message);
  assert.deepEqual(await count(), before);
}

/** No statement or setting of the service remains in sessions that other clients get next. */
async function expectNothingLeft(served: DatabaseConfig): Promise<void> {
  assert.deepEqual(
    await askAsOther(
      served,
      `SELECT (SELECT string_agg(name, ',') FROM pg_prepared_statements WHERE name LIKE 'tasks%'),
        current_setting('statement_timeout')`,
    ),
    [[null, '0']],
  );
}
