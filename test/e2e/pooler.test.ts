/** Clients of every kind behind a PgBouncer with few sessions for many connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../../src/database/client.ts';
import { startCluster } from '../support/cluster.ts';
import { keepLedgers, type Ledger, settle, sumOf } from '../support/ledger.ts';
import {
  oldPgBouncer,
  presentPgBouncer,
  startPgBouncer,
  withoutProgram,
} from '../support/pgbouncer.ts';
import { startService } from '../support/service.ts';

const secondsMost = Number(process.env['LEDGER_SECONDS'] ?? 4);
const clients = 8;
const skip = withoutProgram(presentPgBouncer, '1.21 or newer');

/** PgBouncer's default is session pooling; the service has some twenty connections. */
const sessions = ['default_pool_size = 40'];
const transactions = ['pool_mode = transaction', 'default_pool_size = 5'];

for (const [what, settings, direct, seconds] of [
  ['of transactions', transactions, false, secondsMost],
  ['of transactions beside a direct way', transactions, true, secondsMost / 4],
  ['of sessions', sessions, false, secondsMost / 4],
] as const) {
  test(`PgBouncer ${what}: nothing is lost, changed or removed without being asked`, {
    skip,
  }, async (t) => {
    const cluster = await startCluster();
    t.after(() => cluster.stop());
    const database = await cluster.database('ledger');
    const bouncer = await startPgBouncer({
      program: presentPgBouncer!,
      cluster,
      settings,
    });
    t.after(() => bouncer.stop());
    const service = await startService({
      database: bouncer.through(database),
      env: {
        ...(settings === transactions ? { DB_POOLER: 'transaction' } : {}),
        // Small batches run here, others on a thread: both have connections.
        OFFLOAD_MIN_BATCH: '2',
        ...(direct ? { DB_DIRECT_HOST: database.host, DB_DIRECT_PORT: String(database.port) } : {}),
      },
    });
    const until = performance.now() + seconds * 1000;
    const ledgers = await keepLedgers({
      port: () => service.port,
      clients,
      // On a busy machine it continues until there is something to check.
      isOver: (counts) =>
        performance.now() >= until && counts.acknowledged > clients && counts.read > clients,
    });
    const [pool] = (await bouncer.command('SHOW POOLS')).filter(
      (row) => row['database'] === 'ledger',
    );
    const code = await service.stop();
    await judge(database, ledgers);
    const { acknowledged, read, refused, unknown } = sumOf(ledgers);
    t.diagnostic(`${acknowledged} writes acknowledged and ${read} reads in ${seconds} s`);
    assert.deepEqual({ code, refused, unknown }, { code: 0, refused: 0, unknown: 0 });
    assert.ok(acknowledged > clients && read > clients);
    if (settings === sessions) return;
    const servers = ['sv_active', 'sv_idle', 'sv_used', 'sv_tested', 'sv_login'];
    const lent = servers.reduce((sum, name) => sum + Number(pool![name]), 0);
    assert.ok(lent <= 5 && Number(pool!['cl_active']) > 5, JSON.stringify(pool));
  });
}

for (const [what, program] of [
  ['1.21 or newer', presentPgBouncer],
  ['before 1.21', oldPgBouncer],
] as const) {
  test(`PgBouncer ${what} that turns to transactions under a running service runs nothing else`, {
    skip: withoutProgram(program, what),
  }, async (t) => {
    const cluster = await startCluster();
    t.after(() => cluster.stop());
    const database = await cluster.database('turned');
    const bouncer = await startPgBouncer({ program: program!, cluster, settings: sessions });
    t.after(() => bouncer.stop());
    const service = await startService({ database: bouncer.through(database) });
    let isOver = false;
    const working = keepLedgers({
      port: () => service.port,
      clients,
      isOver: ({ acknowledged, read }) => isOver && acknowledged > 0 && read > 0,
    });
    await bouncer.configure('default_pool_size = 3');
    await bouncer.configure('pool_mode = transaction');
    // As after a restart of the pooler: few sessions for connections made without DB_POOLER.
    await bouncer.stop();
    await bouncer.start();
    await sleep((secondsMost * 1000) / 4);
    isOver = true;
    const ledgers = await working;
    await service.stop();
    await judge(database, ledgers);
    const { acknowledged, read, refused, unknown } = sumOf(ledgers);
    t.diagnostic(`${acknowledged} writes, ${read} reads, ${refused} refused, ${unknown} unknown`);
    assert.ok(acknowledged > 0 && read > 0);
  });
}

async function judge(
  database: Parameters<typeof createClient>[0],
  ledgers: readonly Ledger[],
): Promise<void> {
  const sql = createClient(database, {
    max: 1,
    applicationName: 'truth',
    statementTimeoutMs: 30_000,
  });
  await settle(sql, ledgers).finally(() => sql.end({ timeout: 1 }));
}
