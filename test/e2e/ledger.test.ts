/** Acknowledged writes exist exactly once, and nothing else exists; also while threads die. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepLedgers, settle, sumOf } from '../support/ledger.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

const seconds = Number(process.env['LEDGER_SECONDS'] ?? 4);
const clients = 64;

/** On a busy machine it continues until a client has met trouble, if the test needs that. */
const longestSeconds = 10 * seconds;

async function runLedgers(env: Readonly<Record<string, string>>, wantsTrouble = false) {
  const database = await createTestDatabase('ledger');
  const service = await startService({ database: database.config, env });
  const began = performance.now();
  let isMet = !wantsTrouble;
  const ledgers = await keepLedgers({
    port: () => service.port,
    clients,
    isOver: ({ acknowledged }) => {
      const lasts = (performance.now() - began) / 1000;
      return lasts >= (isMet && acknowledged > clients ? seconds : longestSeconds);
    },
    onTrouble: () => {
      isMet = true;
    },
  });
  const code = await service.stop();
  await settle(database.sql, ledgers);
  await database.drop();
  assert.equal(code, 0);
  return sumOf(ledgers);
}

test(`${clients} clients that create, change and remove lose nothing and double nothing`, async (t) => {
  const { acknowledged, read, refused, unknown } = await runLedgers({});
  t.diagnostic(`${acknowledged} writes acknowledged and ${read} reads in ${seconds} s`);
  assert.equal(refused + unknown, 0);
  assert.ok(acknowledged > clients);
});

test('clients whose worker threads die get some 503, and nothing acknowledged is lost', async (t) => {
  const killer = join(import.meta.dirname, '../support/worker-killer.js');
  const life = seconds >= 60 ? 5000 : 2500;
  const env = {
    OFFLOAD_MIN_BATCH: '0',
    NODE_OPTIONS: `--import=${killer}`,
    WORKER_LIFE_MS: String(life),
  };
  const { acknowledged, refused, unknown } = await runLedgers(env, true);
  t.diagnostic(
    `${acknowledged} writes acknowledged, ${refused + unknown} answered 503, in ${seconds} s`,
  );
  assert.ok(acknowledged > clients);
  assert.ok(refused + unknown > 0, 'no thread died while it had work: the test shows nothing');
});
