/** Clients of every kind behind a PgBouncer that lends few sessions to many connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../../src/database/client.ts';
import { startCluster } from '../support/cluster.ts';
import { keepLedgers, settle, sumOf } from '../support/ledger.ts';
import { presentPgBouncer, startPgBouncer, withoutProgram } from '../support/pgbouncer.ts';
import { startService } from '../support/service.ts';

const seconds = Number(process.env['LEDGER_SECONDS'] ?? 8);
const clients = 8;
const skip = withoutProgram(presentPgBouncer, '1.21 or newer');

for (const [what, direct] of [
  ['alone', false],
  ['beside a direct way', true],
] as const) {
  test(`PgBouncer ${what}: nothing is lost, changed or removed without being asked`, {
    skip,
  }, async (t) => {
    const cluster = await startCluster();
    const database = await cluster.database('ledger');
    const bouncer = await startPgBouncer({
      program: presentPgBouncer!,
      cluster,
      settings: ['pool_mode = transaction', 'default_pool_size = 5'],
    });
    const service = await startService({
      database: bouncer.through(database),
      env: {
        DB_POOLER: 'transaction',
        // Small batches here, others on a thread: both have connections of their own.
        OFFLOAD_MIN_BATCH: '2',
        ...(direct ? { DB_DIRECT_HOST: database.host, DB_DIRECT_PORT: String(database.port) } : {}),
      },
    });
    const until = performance.now() + seconds * 1000;
    const ledgers = await keepLedgers({
      port: () => service.port,
      clients,
      isOver: () => performance.now() >= until,
    });
    const [pool] = (await bouncer.command('SHOW POOLS')).filter(
      (row) => row['database'] === 'ledger',
    );
    const code = await service.stop();
    const sql = createClient(database, {
      max: 1,
      applicationName: 'truth',
      statementTimeoutMs: 30_000,
    });
    await settle(sql, ledgers).finally(() => sql.end({ timeout: 1 }));
    const { acknowledged, read, refused, unknown } = sumOf(ledgers);
    t.diagnostic(`${acknowledged} writes acknowledged and ${read} reads in ${seconds} s`);
    assert.deepEqual({ code, refused, unknown }, { code: 0, refused: 0, unknown: 0 });
    assert.ok(acknowledged > clients && read > clients);
    const servers = ['sv_active', 'sv_idle', 'sv_used', 'sv_tested', 'sv_login'];
    const lent = servers.reduce((sum, name) => sum + Number(pool![name]), 0);
    assert.ok(lent <= 5 && Number(pool!['cl_active']) > 5, JSON.stringify(pool));
    await bouncer.stop();
    await cluster.stop();
  });
}
