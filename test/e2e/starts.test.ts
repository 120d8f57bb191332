/**
 * No configuration makes a process that only SIGKILL ends: a start that cannot succeed exits with
 * one line.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createTestDatabase } from '../support/postgres.ts';
import { complaintsOf, eventually, makeFolder, startService } from '../support/service.ts';
import { cli, endTimeoutMs, main, start } from '../support/starts.ts';

const folder = makeFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

function folderOf(prepare: (path: string) => void): string {
  const path = join(makeFolder(), 'x');
  prepare(path);
  return path;
}

/** What DATA_DIR may name by mistake. */
const folders: Readonly<Record<string, () => string>> = {
  'a file system without folders': () => '/proc/x',
  'one deep inside it': () => '/proc/x/y/z',
  'that file system': () => '/proc',
  'one of the kernel': () => '/sys/x',
  'a device': () => '/dev/null',
  'what is below a device': () => '/dev/null/x',
  'a file': () => folderOf((path) => writeFileSync(path, '')),
  'what is below a file': () =>
    join(
      folderOf((path) => writeFileSync(path, '')),
      'y',
    ),
  'a pipe': () => folderOf((path) => execFileSync('mkfifo', [path])),
  'a link to nowhere': () => folderOf((path) => symlinkSync('/nowhere/x', path)),
  'a link to itself': () => folderOf((path) => symlinkSync(path, path)),
  'a name that is too long': () => join(folder, 'x'.repeat(300)),
  'a path that is too long': () => join(folder, 'y/'.repeat(2500)),
  'what nobody may write to': () =>
    folderOf((path) => {
      mkdirSync(path);
      // Root may write everywhere; for root this case is a read-only file system.
      chmodSync(path, 0o500);
      if (process.getuid?.() === 0) {
        rmSync(path, { recursive: true });
        symlinkSync('/sys/kernel', path);
      }
    }),
};

for (const [what, make] of Object.entries(folders)) {
  test(`DATA_DIR as ${what} ends the start with one line`, async () => {
    const programs = what === 'a file' ? [[main], [cli, 'up'], [cli, 'down']] : [[main]];
    for (const program of programs) {
      const before = readdirSync(folder);
      const started = start(program, folder, { DATA_DIR: make() });
      assert.equal(await started.ended(), 1);
      assert.deepEqual(readdirSync(folder), before, 'something was left');
      const errors = started.lines().filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1, JSON.stringify(started.lines()));
      assert.match(errors[0]!.message, /DATA_DIR/);
      assert.doesNotMatch(errors[0]!.message, /\n/);
    }
  });
}

test('a full file system ends the start with a line that says so', {
  skip: withoutMounts(),
}, async () => {
  // One MiB, in a mount namespace that ends with the process.
  const script = `mount -t tmpfs -o size=1m none '${folder}' && exec '${process.execPath}' '${main}'`;
  const child = spawn('unshare', ['--mount', '--', 'sh', '-c', script], {
    env: { ...process.env, PORT: '0', METRICS_PORT: '0', DATA_DIR: join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await once(child, 'close');
  assert.equal(child.exitCode, 1);
  assert.match(text, /No space left|ENOSPC/);
});

function withoutMounts(): string | false {
  try {
    execFileSync('unshare', ['--mount', '--', 'sh', '-c', `mount -t tmpfs none '${folder}'`]);
    return false;
  } catch {
    return 'this user may not mount a file system';
  }
}

test('a socket has a place although TMPDIR has none', async () => {
  const long = join(makeFolder(), 'a folder with a long name, '.repeat(5));
  const service = await startService({ env: { TMPDIR: '/nowhere', DATA_DIR: join(long, 'data') } });
  assert.equal(await service.stop(), 0);
  assert.ok(!existsSync('/nowhere'));
});

for (const [what, prepare] of Object.entries({
  'a folder': (path: string): void => mkdirSync(path),
  'a pipe': (path: string): void => void execFileSync('mkfifo', [path]),
  'a device without an end': (path: string): void => symlinkSync('/dev/zero', path),
})) {
  test(`.env or a root certificate that is ${what} ends the start with one line`, async () => {
    const cwd = makeFolder();
    prepare(join(cwd, '.env'));
    const started = start([main], cwd, {});
    assert.equal(await started.ended(), 1);
    assert.match(JSON.stringify(started.lines()), /\.env: expected a readable file/);
    const certificate = start([main], folder, {
      DB_HOST: '127.0.0.1',
      DB_SSLMODE: 'require',
      DB_SSLROOTCERT: join(cwd, '.env'),
    });
    assert.equal(await certificate.ended(), 1);
    assert.match(
      JSON.stringify(certificate.lines()),
      /DB_SSLROOTCERT: expected a readable PEM file/,
    );
  });
}

test('a working directory that is gone ends the start with one line', async () => {
  for (const env of [{ DB_HOST: '127.0.0.1' }, { DATA_DIR: join(folder, 'data') }]) {
    const cwd = makeFolder();
    const script = `rmdir '${cwd}' && exec '${process.execPath}' '${main}'`;
    // With it, Node would open the folder before the service does.
    const { NODE_V8_COVERAGE: _, ...inherited } = process.env;
    const child = spawn('sh', ['-c', script], {
      cwd,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    await once(child, 'close');
    assert.equal(child.exitCode, 1);
    assert.match(text, /the working directory: expected one that is there/);
  }
});

test('ports that are taken, or are one, leave a service that a signal ends', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, done));
  const { port } = taken.address() as { port: number };
  const database = await createTestDatabase('taken_ports');
  const service = await startService({
    database: database.config,
    env: { METRICS_PORT: String(port) },
  });
  await service.logged(({ message }) => message.startsWith('the port of metrics'));
  assert.equal(await service.stop(), 0);
  taken.close();
  await once(taken, 'close');
  const one = await startService({
    database: database.config,
    env: { PORT: String(port), METRICS_PORT: String(port) },
  });
  assert.equal(await one.stop(), 0);
  await database.drop();
});

test('production without a named server starts nothing, makes nothing, and says what to do', async () => {
  const cwd = makeFolder();
  const env = {
    ENV: 'production',
    METRICS_USERNAME: 'who-measures',
    METRICS_PASSWORD: 'hunter2-hunter2',
    DB_HOTS: 'db.example',
  };
  for (const program of [[main], [cli, 'migrate-up'], [cli, 'up']]) {
    const started = start(program, cwd, env);
    assert.equal(await started.ended(), 1);
    const text = JSON.stringify(started.lines());
    assert.match(
      text,
      /DB_HOST: expected a PostgreSQL server with ENV=production.*DB_EMBEDDED=true/,
    );
    assert.match(text, /"level":"warn".*"DB_HOTS \(DB_HOST\?\)"/);
    assert.doesNotMatch(text, /db\.example/);
  }
  assert.deepEqual(readdirSync(cwd), []);
  const service = await startService({
    folder: cwd,
    env: { ...env, DB_EMBEDDED: 'true', SHUTDOWN_DELAY_MS: '0' },
  });
  assert.equal(await service.stop(), 0);
  assert.equal(complaintsOf(service).length, 1);
  rmSync(cwd, { recursive: true });
});

test('a service without a place for metrics serves, says so once, and ends with a signal', {
  skip: withoutMounts(),
}, async () => {
  const database = await createTestDatabase('no_metrics');
  const { config } = database;
  const script = `mount -t tmpfs -o ro none /dev/shm && exec '${process.execPath}' '${main}'`;
  const started = start(
    ['--mount', '--', 'sh', '-c', script],
    folder,
    {
      TMPDIR: '/nowhere',
      DB_HOST: config.host,
      DB_PORT: String(config.port),
      DB_USER: config.user,
      DB_PASSWORD: config.password,
      DB_NAME: config.name,
    },
    'unshare',
  );
  await eventually(
    () => started.lines().some(({ message }) => message === 'listening'),
    () => `it does not listen: ${JSON.stringify(started.lines())}`,
    endTimeoutMs,
  );
  started.process.kill('SIGTERM');
  assert.equal(await started.ended(), 0);
  const errors = started.lines().filter(({ level }) => level === 'error');
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['there is no folder for metrics, so there are none'],
  );
  await database.drop();
});
