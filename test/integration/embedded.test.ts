import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { withSession } from '../../src/database/session.ts';
import { type EmbeddedDatabase, startEmbedded, stopEmbedded } from '../../src/embedded/embedded.ts';
import { isAlive, waitUntilGone } from '../../src/embedded/processes.ts';
import { silentLog } from '../support/postgres.ts';

const program = fileURLToPath(new URL('../support/embedded-starter.js', import.meta.url));

let folder: string;
let dataDir: string;
let starters: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'e-'));
  dataDir = join(folder, 'data');
  starters = [];
});

afterEach(async () => {
  for (const starter of starters) starter.kill('SIGKILL');
  await stopEmbedded(dataDir);
  rmSync(folder, { recursive: true, force: true });
});

test('the embedded database starts in an empty folder, keeps what is written, and leaves no process or lock', async () => {
  const first = await start();
  assert.equal(first.adopted, false);
  await write(first.config, 'kept');
  const pid = serverPid();
  await first.stop();
  await first.stop();
  assert.equal(isAlive(pid), false);
  assert.deepEqual(readdirSync(dataDir).sort(), ['postgres', 'postgres.log', 'socket']);
  assert.deepEqual(readdirSync(join(dataDir, 'socket')), []);

  const second = await start();
  assert.deepEqual(await read(second.config), ['kept']);
  await second.stop();
});

test('the embedded database is durable, and can be reached by its user alone', async () => {
  const { config, stop } = await start();
  const settings = await withSession(config, 0, async (sql) => {
    const rows = await sql<{ name: string; setting: string }[]>`
      SELECT name, setting FROM pg_settings
      WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses')
      ORDER BY name`;
    return rows.map((row) => `${row.name}=${row.setting}`);
  });
  assert.deepEqual(settings, [
    'fsync=on',
    'full_page_writes=on',
    'listen_addresses=',
    'synchronous_commit=on',
  ]);
  assert.equal(statSync(config.host).mode & 0o777, 0o700);
  await stop();
});

test('the embedded database serves from a folder whose path is too long for a socket', async () => {
  dataDir = join(folder, 'a folder with a long name, '.repeat(5), 'data');
  const { config, stop } = await start();
  assert.ok(Buffer.byteLength(`${config.host}/.s.PGSQL.5432`) <= 103, config.host);
  assert.equal(statSync(config.host).mode & 0o777, 0o700);
  await write(config, 'reached');
  await stop();
  rmSync(config.host, { recursive: true });
});

test('the embedded database does not use a socket folder that others may enter', async () => {
  mkdirSync(join(dataDir, 'socket'), { recursive: true });
  chmodSync(join(dataDir, 'socket'), 0o755);
  await assert.rejects(start(), /belongs to this user alone/);
});

test('the embedded database is made anew when making it was interrupted', async () => {
  mkdirSync(join(dataDir, 'postgres.new-killed'), { recursive: true });
  writeFileSync(join(dataDir, 'postgres.new-killed', 'PG_VERSION'), '18\n');
  const { config, stop } = await start();
  await write(config, 'whole');
  await stop();
  assert.equal(existsSync(join(dataDir, 'postgres.new-killed')), false);
});

test('the embedded database refuses the data of another version of PostgreSQL, and leaves it as it is', async () => {
  mkdirSync(join(dataDir, 'postgres'), { recursive: true });
  writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '11\n');
  await assert.rejects(start(), /made by PostgreSQL 11, .*DB_HOST/);
  assert.deepEqual(readdirSync(join(dataDir, 'postgres')), ['PG_VERSION']);
});

test('the embedded database does not take a folder for its own that holds something else', async () => {
  mkdirSync(join(dataDir, 'postgres'), { recursive: true });
  writeFileSync(join(dataDir, 'postgres', 'diary.txt'), 'dear diary');
  await assert.rejects(start(), /is not empty, and no database/);
  assert.deepEqual(readdirSync(join(dataDir, 'postgres')), ['diary.txt']);
  assert.deepEqual(readdirSync(dataDir), ['postgres']);
});

test('the embedded database after a crash is taken over when its starter was killed, and stopped by the one that took it', async () => {
  const { child, said } = await startInProcess();
  await write(said.config, 'acknowledged');
  const pid = serverPid();
  child.kill('SIGKILL');
  await once(child, 'exit');

  const { adopted, config, stop } = await start();
  assert.equal(adopted, true);
  assert.equal(serverPid(), pid);
  assert.deepEqual(await read(config), ['acknowledged']);
  await stop();
  assert.equal(isAlive(pid), false);
});

test('the embedded database after a crash is taken over also when the folder is named by another path', async () => {
  const { child } = await startInProcess();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const link = join(folder, 'link');
  symlinkSync(dataDir, link);
  const { adopted, stop } = await startEmbedded({ dataDir: link, log: silentLog });
  assert.equal(adopted, true);
  await stop();
});

test('the embedded database after a crash has everything that was acknowledged when every process of it was killed', async () => {
  for (let round = 1; round <= 3; round++) {
    const { child, said } = await startInProcess();
    await write(said.config, `round ${round}`);
    const pid = serverPid();
    child.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await once(child, 'exit');
  }
  const { adopted, config, stop } = await start();
  assert.equal(adopted, false);
  assert.deepEqual(await read(config), ['round 1', 'round 2', 'round 3']);
  await stop();
});

test('the embedded database after a crash starts though the pid in its pid file is somebody else by now', async () => {
  await (await start()).stop();
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  // Alive, owned by this user, and not PostgreSQL: as after a restart of the machine.
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
  starters.push(other);
  writeFileSync(file, `${other.pid}\n${dataDir}/postgres\n1\n5432\n${dataDir}/socket\n\n\nready\n`);
  const { adopted, stop } = await start();
  assert.equal(adopted, false);
  await stop();
  assert.equal(isAlive(other.pid!), true);
});

test('the embedded database after a crash starts while another one is still stopping', async () => {
  const { child, said } = await startInProcess();
  await write(said.config, 'before');
  process.kill(serverPid(), 'SIGINT');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { config, stop } = await start();
  assert.deepEqual(await read(config), ['before']);
  await stop();
});

test('the embedded database after a crash is started again when the socket of the one that runs is gone', async () => {
  const { child, said } = await startInProcess();
  child.kill('SIGKILL');
  await once(child, 'exit');
  rmSync(said.config.host, { recursive: true });
  const { adopted, config, stop } = await start();
  assert.equal(adopted, false);
  await write(config, 'reached');
  await stop();
});

test('the folder of an embedded database has one owner: a second is refused, and told which process has it', async () => {
  const { child } = await startInProcess();
  await assert.rejects(start(), new RegExp(`in use by process ${child.pid}:.*DATA_DIR`));
  await assert.rejects(stopEmbedded(dataDir), new RegExp(`in use by process ${child.pid}`));
  child.kill('SIGTERM');
  await once(child, 'exit');
  await (await start()).stop();
});

test('the folder of an embedded database has one owner also within a process', async () => {
  const { stop } = await start();
  await assert.rejects(start(), new RegExp(`in use by process ${process.pid}`));
  await stop();
});

test('the folder of an embedded database goes to one of many that start at once, whatever a crash has left there', async () => {
  await (await start()).stop();
  for (let round = 1; round <= 3; round++) {
    writeFileSync(join(dataDir, 'owner.1.0'), '');
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => startInProcess().catch(() => undefined)),
    );
    const winners = outcomes.filter((outcome) => outcome !== undefined);
    assert.equal(winners.length, 1, `${winners.length} of 5 in round ${round}`);
    winners[0]!.child.kill('SIGTERM');
    await once(winners[0]!.child, 'exit');
  }
});

test('an embedded database that is to be kept goes on when its starter ends, and through later starts, until it is stopped', async () => {
  const { child } = await startInProcess('keep');
  const pid = serverPid();
  child.kill('SIGTERM');
  await once(child, 'exit');
  assert.equal(isAlive(pid), true);

  const later = await start();
  assert.equal(later.adopted, true);
  await later.stop();
  assert.equal(isAlive(pid), true);

  assert.equal(await stopEmbedded(dataDir), true);
  assert.equal(isAlive(pid), false);
  assert.equal(await stopEmbedded(dataDir), false);
});

test('an embedded database that is to be kept is forgotten once that server is gone', async () => {
  const kept = await startEmbedded({ dataDir, log: silentLog, keep: true });
  await kept.stop();
  const before = serverPid();
  process.kill(before, 'SIGINT');
  assert.equal(await waitUntilGone(before, 10_000), true);

  const { stop } = await start();
  const pid = serverPid();
  await stop();
  assert.equal(isAlive(pid), false);
});

function start(): Promise<EmbeddedDatabase> {
  return startEmbedded({ dataDir, log: silentLog });
}

interface Starter {
  readonly child: ChildProcess;
  readonly said: EmbeddedDatabase;
}

/** Rejects when the process reports an error. */
async function startInProcess(...args: string[]): Promise<Starter> {
  const child = spawn(process.execPath, [program, dataDir, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  starters.push(child);
  let text = '';
  for await (const chunk of child.stdout!) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  const said = JSON.parse(text) as EmbeddedDatabase & { refused?: string };
  if (said.refused !== undefined) throw new Error(said.refused);
  return { child, said };
}

function serverPid(): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

function write(config: DatabaseConfig, text: string): Promise<void> {
  return withSession(config, 0, async (sql) => {
    await sql`CREATE TABLE IF NOT EXISTS written (id int GENERATED ALWAYS AS IDENTITY, text text)`;
    await sql`INSERT INTO written (text) VALUES (${text})`;
  });
}

function read(config: DatabaseConfig): Promise<string[]> {
  return withSession(config, 0, async (sql) => {
    const rows = await sql<{ text: string }[]>`SELECT text FROM written ORDER BY id`;
    return rows.map((row) => row.text);
  });
}
