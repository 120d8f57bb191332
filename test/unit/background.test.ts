import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOutOfReach } from '../../src/database/connection-lost.ts';
import { createBackground } from '../../src/telemetry/background.ts';
import { createLogger } from '../../src/telemetry/log.ts';

function start() {
  const lines: { level: string; message: string; [name: string]: unknown }[] = [];
  const log = createLogger({
    level: 'info',
    role: 'test',
    pretty: false,
    write: (line) => lines.push(JSON.parse(line)),
  });
  return { background: createBackground(log, isOutOfReach), lines };
}

const failure = (code: string, cause?: unknown) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(`failed with ${code}`, { cause }), { code }));

test('work that fails is told once, and once that it goes on', async () => {
  const { background, lines } = start();
  const work = background.work('texts');
  assert.equal(await work.attempt(async () => 7), 7);
  assert.equal(lines.length, 0);
  for (let time = 0; time < 5; time++) {
    assert.equal(await work.attempt(failure('55000')), undefined);
  }
  assert.equal(lines.length, 1);
  assert.deepEqual(
    [lines[0]!.level, lines[0]!['work'], lines[0]!['code'], lines[0]!['reason']],
    ['warn', 'texts', '55000', 'failed with 55000'],
  );
  assert.deepEqual(background.states(), [{ name: 'texts', failures: 5, isFailing: true }]);
  await work.attempt(async () => undefined);
  await work.attempt(async () => undefined);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn', 'info'],
  );
  assert.deepEqual(background.states(), [{ name: 'texts', failures: 5, isFailing: false }]);
  await work.attempt(failure('57014'));
  assert.equal(lines.length, 3);
});

test('a database that is away is nobody’s failure, also inside of another error', async () => {
  const { background, lines } = start();
  const work = background.work('keys');
  await work.attempt(failure('ECONNREFUSED'));
  await work.attempt(failure('57P01'));
  await work.attempt(async () => {
    throw new Error('out of reach', {
      cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    });
  });
  assert.deepEqual(lines, []);
  assert.deepEqual(background.states(), [{ name: 'keys', failures: 0, isFailing: false }]);
  // It was failing before, and that has not changed.
  await work.attempt(failure('42501'));
  await work.attempt(failure('ECONNREFUSED'));
  assert.equal(background.states()[0]!.isFailing, true);
  assert.equal(lines.length, 1);
});
