import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, describeError, type LogLevel } from '../../src/telemetry/log.ts';

function linesOf(level: LogLevel, pretty: boolean) {
  const lines: string[] = [];
  const log = createLogger({ level, role: 'test', pretty, write: (line) => lines.push(line) });
  return { lines, log };
}

test('lines below the level are not written', () => {
  const { lines, log } = linesOf('warn', false);
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { message: string }).message),
    ['c', 'd'],
  );
});

test('control characters in a value cannot break a line, in either form', () => {
  for (const pretty of [true, false]) {
    const { lines, log } = linesOf('info', pretty);
    log.info('something happened', { value: 'a\nb\r\u001b[31m' });
    assert.equal(lines.length, 1);
    for (const control of ['\n', '\r', '\u001b']) assert.ok(!lines[0]!.includes(control));
  }
});

test('an error is described without what a driver attaches to it', () => {
  const error = Object.assign(new Error('no'), {
    code: '23505',
    detail: 'secret',
    query: 'secret',
  });
  const fields = describeError(error);
  assert.equal(fields['code'], '23505');
  assert.doesNotMatch(JSON.stringify({ ...fields, stack: '' }), /secret/);
});
