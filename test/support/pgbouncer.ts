/**
 * A real PgBouncer in front of a cluster. Its programs come from PGBOUNCER (colon-separated), `make
 * pgbouncer` and the system. Tests choose one that tracks prepared statements, or an older one.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { after } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createClient } from '../../src/database/client.ts';
import { ordinaryUserPrefix } from '../../src/embedded/ordinary-user.ts';
import { freePort } from './free-port.ts';
import { eventually, makeFolder } from './service.ts';

export interface PgBouncer {
  readonly port: number;
  /** The configuration of a database of the cluster through PgBouncer. */
  through(database: DatabaseConfig): DatabaseConfig;
  /** Runs a command of its console, such as PAUSE. */
  command(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Appends a line to its configuration and reloads it. */
  configure(line: string): Promise<void>;
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface PgBouncerOptions {
  readonly program: string;
  readonly cluster: { readonly port: number };
  /** Further lines of its configuration; the last line of a name counts. */
  readonly settings?: readonly string[];
}

/** The first release that tracks prepared statements (its NEWS, "1.21.0"). */
const firstWithStatements = 21;
const administrator = 'postgres';
const running = new Set<ChildProcess>();
const folders = new Set<string>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export const presentPgBouncer = findProgram((minor) => minor >= firstWithStatements);
export const oldPgBouncer = findProgram((minor) => minor < firstWithStatements);

/** For the `skip` of a test: false if there is one, otherwise what to do. */
export function withoutProgram(program: string | undefined, wanted: string): string | false {
  return program === undefined
    ? `there is no PgBouncer ${wanted} (docs/deploying.md, Poolers)`
    : false;
}

export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const folder = makeFolder();
  folders.add(folder);
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(join(folder, 'users'), `"${administrator}" ""\n`);
  writeFileSync(
    file,
    [
      '[databases]',
      `* = host=127.0.0.1 port=${options.cluster.port} user=${administrator}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${join(folder, 'users')}`,
      `admin_users = ${administrator}`,
      // Tests stop the server behind it and wait until it is back.
      'server_login_retry = 0.2',
      ...(options.settings ?? []),
      '',
    ].join('\n'),
  );
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const [command, ...args] = [...ordinaryUserPrefix(), options.program, '-q', file];
    const log: string[] = [];
    const started = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (bytes) => log.push(String(bytes)));
    }
    running.add(started);
    started.once('exit', () => running.delete(started));
    child = started;
    await eventually(
      async () => started.exitCode !== null || (await isOpen(port)),
      'PgBouncer does not listen',
    );
    if (started.exitCode !== null) throw new Error(log.join(''));
  }

  async function stop(signal: NodeJS.Signals = 'SIGQUIT'): Promise<void> {
    const ending = child;
    if (ending === undefined) return;
    const ended = new Promise((done) => ending.once('exit', done));
    if (ending.exitCode === null && ending.signalCode === null) {
      ending.kill(signal);
      await ended;
    }
    child = undefined;
  }

  async function command(text: string): Promise<Readonly<Record<string, unknown>>[]> {
    const console = createClient(consoleOf(port), {
      max: 1,
      applicationName: 'tests',
      statementTimeoutMs: 0,
      isPlain: true,
    });
    try {
      return [...(await console.unsafe(text).simple())] as Readonly<Record<string, unknown>>[];
    } finally {
      await console.end({ timeout: 0 });
    }
  }

  await start();
  return {
    port,
    start,
    stop,
    command,
    through: (database) => ({ ...database, host: '127.0.0.1', port }),
    async configure(line) {
      appendFileSync(file, `${line}\n`);
      await command('RELOAD');
    },
  };
}

function consoleOf(port: number): DatabaseConfig {
  return {
    host: '127.0.0.1',
    port,
    user: administrator,
    password: '',
    name: 'pgbouncer',
    sslMode: 'disable',
    sslRootCert: null,
  };
}

function findProgram(fits: (minor: number) => boolean): string | undefined {
  const named = (process.env['PGBOUNCER'] ?? '').split(delimiter).filter((path) => path !== '');
  const fetched = resolve(import.meta.dirname, '../../../.pgbouncer/pgbouncer');
  return [
    ...named,
    ...(existsSync(fetched) ? [fetched] : []),
    'pgbouncer',
    '/usr/sbin/pgbouncer',
  ].find((program) => {
    const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    const [, minor] = /^PgBouncer 1\.(\d+)/.exec(stdout ?? '') ?? [];
    return minor !== undefined && fits(Number(minor));
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
