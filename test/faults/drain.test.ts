/**
 * Repeated stops under load. DRAINS is the number of stops (4: each kind once); `make test-drain`
 * runs only this file. The rules for each request are in drain/round.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RoundResult, runRound } from '../drain/round.ts';
import { createTestDatabase } from '../support/postgres.ts';

const drains = Number(process.env['DRAINS'] ?? 4);

test('no request that was accepted fails, however often the service stops under load', async (t) => {
  const database = await createTestDatabase('drain');
  const results: RoundResult[] = [];
  for (let number = 0; number < drains; number++) {
    results.push(
      await runRound({
        number,
        database,
        frontEnds: number % 4 === 0 || number % 4 === 3 ? 1 : 2,
        delayMs: number % 4 === 3 ? 300 : 0,
        isOneStarting: number % 4 === 2,
      }),
    );
  }
  await database.drop();

  const sum = (of: (result: RoundResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const stops = results.map(({ stopMs }) => stopMs).sort((a, b) => a - b);
  t.diagnostic(
    `${drains} drains, ${sum(({ attempts }) => attempts)} requests, ` +
      `${sum(({ drained }) => drained)} answered after the signal, ` +
      `${sum(({ unread }) => unread)} never read, ` +
      `${sum(({ untaken }) => untaken)} of them on connections that were never taken; ` +
      `stopping took ${Math.round(stops[0]!)} to ${Math.round(stops.at(-1)!)} ms`,
  );
  assert.deepEqual(results.flatMap(({ violations }) => violations).slice(0, 5), []);
  // With fewer there was no real load.
  assert.ok(sum(({ drained }) => drained) >= 10 * drains);
});
