import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createLogger, describeError } from '../../src/telemetry/log.ts';

const secrets = [
  'hunter2-word',
  'w"o\\r\'d/ö?@:%',
  '.*+$^(regular)[expression]',
  'postgres://me:inner-secret@db.example:5432/mine',
  'inner-secret',
  '1234567890',
];

function logged(message: string, fields: Record<string, unknown>, pretty: boolean): string {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  createLogger({ level: 'debug', role: 'test', pretty, write, secrets }).debug(message, fields);
  assert.equal(lines.length, 1);
  if (!pretty) JSON.parse(lines[0]!);
  return lines[0]!;
}

/** The encodings of a secret: plain, in a URL, in a header, quoted by a program. */
function formsOf(secret: string): string[] {
  return [
    secret,
    `x${secret}x`,
    secret.toUpperCase(),
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    ...['', 'a', 'ab', 'admin:'].map((name) => Buffer.from(`${name}${secret}`).toString('base64')),
    Buffer.from(`name:${secret}`).toString('base64url'),
    JSON.stringify({ nested: secret }),
  ];
}

test('a known secret is in no line, in whatever form and field it comes', () => {
  for (const pretty of [true, false]) {
    for (const secret of secrets) {
      for (const form of formsOf(secret)) {
        const error = Object.assign(new Error(form), { code: form });
        const line = logged(
          form,
          {
            text: form,
            [form]: 1,
            list: [form, { [form]: form, deeper: [[form]] }],
            ...describeError(error),
            fromNode: inspect(new Error(form)),
          },
          pretty,
        );
        const bare = line.replaceAll('\\\\', '\\').replaceAll('\\"', '"');
        for (const part of [form, secret, JSON.stringify(form).slice(1, -1)]) {
          assert.ok(!line.includes(part) && !bare.includes(part), `${part} in ${line}`);
        }
      }
    }
  }
});

test('credentials in a URL or a connection string are masked, known or not', () => {
  for (const text of [
    'getaddrinfo ENOTFOUND postgres://user:hunter9@db.example',
    'redis://:hunter9@cache.example:6379/0 failed',
    'https://hunter9@app.example/x',
    'postgres://user:hun/ter9#hunter9@db.example',
    'folder/postgres:/user:hunter9@db.example/tasks',
    'host=db.example password=hunter9 user=me',
    "host=db.example password = 'hunter9 hunter9'",
    '?user=me&password=hunter9&x=y',
  ]) {
    for (const pretty of [true, false]) {
      assert.doesNotMatch(logged(text, { text, list: [text] }, pretty), /hunter9|ter9/, text);
    }
  }
});

test('text that is no secret stays as it is', () => {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    role: 'test',
    pretty: false,
    secrets: ['', 'short', 'hunter2'],
    write: (line) => lines.push(line),
  });
  const fields = {
    url: 'http://localhost:8080/api/tasks?status=pending',
    stack: 'Error: x\n    at f (file:///srv/app/node_modules/@scope/name/index.js:1:2)',
    short: 'short',
    number: 1234567890,
    nothing: null,
    yes: true,
    mail: 'me@example',
    address: '[::1]:5432',
  };
  log.info('kept', fields);
  const { time: _, level: __, role: ___, message, ...kept } = JSON.parse(lines[0]!);
  assert.deepEqual([message, kept], ['kept', fields]);
});

test('no text makes masking slow', () => {
  // With quadratic time, the test file would time out.
  const nasty = ['://a:', 'x=', ':/', '@:/', 'password=', "pwd='", 'hunter2-wor'];
  for (const part of nasty) {
    const text = part.repeat(300_000);
    for (const one of [text, `${text}@`, `@${text}`]) assert.ok(logged(one, {}, false).length > 0);
  }
});

test('a secret may be as long as a file of one, and every character may have to be encoded', () => {
  for (const part of ['x', '/\u00e9', '\u65e5', '"\\']) {
    const secret = part.repeat(64 * 1024);
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const logger = createLogger({
      level: 'debug',
      role: 'test',
      pretty: false,
      write,
      secrets: [secret],
    });
    logger.debug(`before ${secret} behind`, { url: `x://u:${encodeURIComponent(secret)}@h` });
    assert.ok(lines.length === 1 && lines[0]!.length < 500);
    assert.match(lines[0]!, /before \*\*\* behind/);
  }
});
