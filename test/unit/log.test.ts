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

/** Text from a client, the database or a driver. */
const nasty =
  'a\nb\r\u0000\u0008\u001b[2J\u001b]0;x\u0007\u007f\u0085\u009b31m\u2028\u2029\u202e\u2066\ufeffz';

test('nothing that a terminal acts on is written, wherever it stands', () => {
  for (const pretty of [true, false]) {
    const { lines, log } = linesOf('info', pretty);
    log.error(nasty, { requestId: nasty, cause: nasty, [nasty]: [nasty, { [nasty]: nasty }] });
    log.error('failed', describeError(Object.assign(new Error(nasty), { code: nasty })));
    log.error('failed', describeError(nasty));
    assert.equal(lines.length, 3);
    for (const line of lines) {
      // Only lines of a stack are indented.
      const text = pretty ? line.replaceAll('\n    ', '') : line;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
      assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/);
    }
  }
});

test('a line of JSON says exactly what was logged', () => {
  const { lines, log } = linesOf('info', false);
  log.warn(nasty, { cause: nasty });
  const { message, cause } = JSON.parse(lines[0]!) as Record<string, string>;
  assert.deepEqual([message, cause], [nasty, nasty]);
});

test("an error's message cannot look like a line of the log", () => {
  const { lines, log } = linesOf('info', true);
  log.error('failed', describeError(new Error('x\n12:00:00.000 INFO  primary    all is well')));
  for (const line of lines[0]!.split('\n').slice(1)) assert.match(line, /^ {4}/);
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

test('a line that cannot be written is lost, ends nothing, and is told of when there is room', () => {
  const lines: string[] = [];
  let isFull = true;
  const log = createLogger({
    level: 'info',
    role: 'test',
    pretty: false,
    write(line) {
      if (isFull) throw new Error('ENOSPC');
      lines.push(line);
    },
  });
  log.error('one');
  log.error('two');
  isFull = false;
  log.info('three');
  log.info('four');
  const messages = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    messages.map(({ message, lost }) => [message, lost]),
    [
      ['lines of the log were lost', 2],
      ['three', undefined],
      ['four', undefined],
    ],
  );
});
