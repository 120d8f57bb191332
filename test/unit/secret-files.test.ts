import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { variables } from '../../src/config/variables.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const names = Object.entries(variables.properties)
  .filter(([, schema]) => (schema as { secret?: boolean }).secret === true)
  .map(([name]) => name);

function fileOf(content: string | Buffer): string {
  const file = join(mkdtempSync(join(folder, 's-')), 'secret');
  writeFileSync(file, content);
  return file;
}

function passwordFrom(content: string): string | undefined {
  const result = parseConfig({ DB_HOST: 'db.example', DB_PASSWORD_FILE: fileOf(content) });
  assert.ok(result.ok, JSON.stringify(result));
  return result.config.database?.password;
}

test('every secret comes from a file as well', () => {
  assert.ok(names.length >= 7);
  const values: Record<string, string> = {
    DATABASE_URL: 'postgres://u:word1@db.example:1/d',
    DB_PASSWORD: 'word1',
    TEST_DATABASE_URL: 'postgres://u:word2@db.example:2/d',
    TEST_DB_PASSWORD: 'word2',
    REDIS_URL: 'redis://:word3@db.example:3',
    REDIS_PASSWORD: 'word3',
    REDIS_SENTINEL_PASSWORD: 'word5',
    METRICS_PASSWORD: 'word4-word4-word4',
  };
  assert.deepEqual(names.toSorted(), Object.keys(values).toSorted());
  for (const name of names) {
    const given: Record<string, string> = {};
    if (name === 'DB_PASSWORD') given['DB_HOST'] = 'db.example';
    if (name === 'TEST_DB_PASSWORD') given['TEST_DB_HOST'] = 'db.example';
    if (name === 'REDIS_PASSWORD') given['REDIS_HOST'] = 'db.example';
    if (name === 'REDIS_SENTINEL_PASSWORD') {
      Object.assign(given, { REDIS_SENTINELS: 'db.example', REDIS_MASTER_NAME: 'tasks' });
    }
    const direct = parseConfig({ ...given, [name]: values[name] });
    const fromFile = parseConfig({ ...given, [`${name}_FILE`]: fileOf(`${values[name]}\n`) });
    assert.ok(direct.ok && fromFile.ok, name);
    assert.deepEqual(fromFile, direct);
    assert.notDeepEqual(fromFile, parseConfig(given));
    assert.ok(fromFile.secrets.includes(values[name]!));
  }
});

test('one newline at the end is cut, and nothing else', () => {
  assert.equal(passwordFrom('word'), 'word');
  assert.equal(passwordFrom('word\n'), 'word');
  assert.equal(passwordFrom('word\r\n'), 'word');
  assert.equal(passwordFrom('word\n\n'), 'word\n');
  assert.equal(passwordFrom(' wo rd \n'), ' wo rd ');
  assert.equal(passwordFrom('wörd\n'), 'wörd');
});

test('a variable and its file together are a fault, and an empty one counts as unset', () => {
  for (const name of names) {
    const file = fileOf('hunter2');
    const result = parseConfig({ [name]: 'hunter3', [`${name}_FILE`]: file });
    assert.ok(!result.ok);
    assert.ok(result.faults.includes(`${name}: expected ${name} or ${name}_FILE, got both`));
    assert.doesNotMatch(JSON.stringify(result.faults), /hunter/);
  }
  const file = fileOf('word4-word4');
  assert.ok(parseConfig({ METRICS_PASSWORD: '', METRICS_PASSWORD_FILE: file }).ok);
  assert.ok(parseConfig({ METRICS_PASSWORD: 'word', METRICS_PASSWORD_FILE: '' }).ok);
});

test('a file that cannot be read, or is none, is a fault of the variable, without its path', () => {
  const secretFolder = join(folder, 'hunter2');
  mkdirSync(secretFolder);
  const pipe = join(secretFolder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const dangling = join(secretFolder, 'dangling');
  symlinkSync('nowhere', dangling);
  const loop = join(secretFolder, 'loop');
  symlinkSync('loop', loop);
  const closed = fileOf('hunter2');
  chmodSync(closed, 0);
  for (const [path, reason] of [
    [join(secretFolder, 'missing'), 'ENOENT'],
    // The secret itself instead of a path, by mistake.
    ['hunter2', 'ENOENT'],
    ['hunter2'.repeat(1000), 'ENAMETOOLONG'],
    ['postgres://u:hunter2@h/x', 'ENOENT'],
    [secretFolder, 'EISDIR'],
    [dangling, 'ENOENT'],
    [loop, 'ELOOP'],
    [pipe, 'not a regular file'],
    ['/dev/zero', 'not a regular file'],
    [fileOf(''), 'an empty one'],
    [fileOf('\n'), 'an empty one'],
    [fileOf('x'.repeat(65_537)), 'more than 65536 bytes'],
    [fileOf(Buffer.from([0xff, 0xfe, 0x41])), 'other bytes'],
    [fileOf('hunter2\0hunter2'), 'other bytes'],
    ...(process.getuid?.() === 0 ? [] : [[closed, 'EACCES'] as const]),
  ] as const) {
    for (const name of names) {
      const result = parseConfig({ [`${name}_FILE`]: path });
      assert.ok(!result.ok, `${name}_FILE=${path}`);
      const [fault] = result.faults;
      assert.ok(fault!.startsWith(`${name}_FILE: expected `), fault);
      assert.ok(fault!.endsWith(reason), fault);
      assert.doesNotMatch(JSON.stringify(result.faults), /hunter/);
    }
  }
});
