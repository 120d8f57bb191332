/**
 * A real PostgreSQL for one test, on a port of the loopback interface, to be killed, frozen and
 * filled. It is removed with the test file.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { findBinaries } from '../../src/embedded/binaries.ts';
import { ordinaryUserPrefix } from '../../src/embedded/ordinary-user.ts';
import { freePort } from './free-port.ts';
import { silentLog } from './postgres.ts';
import { childrenOf, eventually, lives, makeFolder } from './service.ts';

export interface Cluster {
  readonly port: number;
  /** PostgreSQL's data directory. */
  readonly folder: string;
  /** A new, migrated database. */
  database(name: string, as?: Credentials): Promise<DatabaseConfig>;
  /** Whether the postmaster is alive. */
  runs(): boolean;
  /** Resolves when it accepts connections; a standby: for reads. */
  start(): Promise<void>;
  /**
   * Resolves when all its processes have ended. SIGINT: fast, SIGQUIT: immediate, SIGKILL: a crash.
   */
  stop(signal?: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void>;
  /** The pids of the postmaster's children: backends and auxiliary processes. */
  backends(): number[];
  /** Stops the postmaster and its children with SIGSTOP. */
  freeze(): void;
  thaw(): void;
  /** Runs statements as the administrator, in order, on a new connection. */
  administer(...statements: readonly string[]): Promise<void>;
  ask<Row>(database: DatabaseConfig, text: string): Promise<Row[]>;
  /** Appends lines to postgresql.conf; the last line of a name counts. */
  configure(lines: string): void;
  /** Writes pg_hba.conf and reloads it if the server runs. */
  admit(rules: string): void;
  /** A running synchronous standby: from now on each commit waits for it. */
  replicate(): Promise<Cluster>;
  /** Promotes a standby; resolves when it accepts writes. */
  promote(): void;
}

/** The role that creates and uses a database; default: the administrator. */
export type Credentials = Pick<DatabaseConfig, 'user' | 'password'>;

export interface ClusterOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** An empty folder; default: a temporary one. */
  readonly folder?: string;
  /** The folder of another server's programs; default: the embedded one. */
  readonly bin?: string;
  /** Options of initdb; default: UTF-8 without a locale. */
  readonly locale?: readonly string[];
}

export const trustAll =
  'local all all trust\nhost all all 127.0.0.1/32 trust\n' +
  'host replication all 127.0.0.1/32 trust\n';

const startTimeoutMs = 60_000;
const administrator = 'postgres';
const running = new Set<ChildProcess>();
const folders = new Set<string>();
after(() => {
  for (const child of running) {
    for (const pid of [child.pid!, ...childrenOf(child.pid!)]) signal(pid, 'SIGKILL');
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const root = options.folder ?? makeFolder();
  folders.add(root);
  const folder = join(root, 'data');
  const bin = options.bin ?? dirname(findBinaries().postgres);
  runOrThrow(join(bin, 'initdb'), [
    `--pgdata=${folder}`,
    `--username=${administrator}`,
    '--auth=trust',
    ...(options.locale ?? ['--encoding=UTF8', '--no-locale']),
    '--no-sync',
  ]);
  const cluster = await clusterIn(folder, options.settings ?? [], bin);
  await cluster.start();
  return cluster;
}

async function clusterIn(
  folder: string,
  settings: readonly string[],
  bin = dirname(findBinaries().postgres),
): Promise<Cluster> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  configure(
    [
      `port = ${port}`,
      "listen_addresses = '127.0.0.1'",
      "unix_socket_directories = ''",
      'shared_buffers = 32MB',
      'max_connections = 60',
      ...settings,
    ].join('\n'),
  );
  admit(trustAll);

  function configure(lines: string): void {
    appendFileSync(join(folder, 'postgresql.conf'), `\n${lines}\n`);
  }

  function admit(rules: string): void {
    writeFileSync(join(folder, 'pg_hba.conf'), rules);
    if (child !== undefined) signal(child.pid!, 'SIGHUP');
  }

  async function start(): Promise<void> {
    const [command, ...args] = [...ordinaryUserPrefix(), join(bin, 'postgres'), ...['-D', folder]];
    const log = openSync(join(folder, '..', 'server.log'), 'a');
    const started = spawn(command!, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    running.add(started);
    started.once('exit', () => {
      running.delete(started);
      if (child === started) child = undefined;
    });
    child = started;
    await eventually(
      () => isReady(started.pid!) || started.exitCode !== null,
      'PostgreSQL is not ready',
      startTimeoutMs,
    );
    if (started.exitCode !== null)
      throw new Error(readFileSync(join(folder, '..', 'server.log'), 'utf8'));
  }

  function isReady(pid: number): boolean {
    try {
      const lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
      return Number(lines[0]) === pid && ['ready', 'standby'].includes(lines[7]!.trim());
    } catch {
      return false;
    }
  }

  async function stop(how: NodeJS.Signals = 'SIGINT'): Promise<void> {
    if (child === undefined) return;
    const { pid } = child;
    const family = [pid!, ...childrenOf(pid!)];
    signal(pid!, how);
    // Backends notice the end of their postmaster by themselves, even in the middle of work.
    await eventually(() => family.every((one) => !lives(one)), 'PostgreSQL does not stop', 30_000);
    child = undefined;
  }

  function backends(): number[] {
    return child === undefined ? [] : childrenOf(child.pid!);
  }

  function family(): number[] {
    return child === undefined ? [] : [child.pid!, ...backends()];
  }

  function configOf(name: string): DatabaseConfig {
    return {
      host: '127.0.0.1',
      port,
      user: administrator,
      password: '',
      name,
      sslMode: 'disable',
      sslRootCert: null,
    };
  }

  async function withClient<Result>(
    config: DatabaseConfig,
    use: (sql: Client) => Promise<Result>,
  ): Promise<Result> {
    const sql = createClient(config, { max: 1, applicationName: 'faults', statementTimeoutMs: 0 });
    try {
      return await use(sql);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  return {
    port,
    folder,
    start,
    stop,
    backends,
    configure,
    admit,
    runs: () => child !== undefined,
    async database(name, as) {
      const config = { ...configOf(name), ...as };
      await migrateUp(config, silentLog);
      return config;
    },
    freeze() {
      // Until nobody new is there: a process may have been forked while the others were stopped.
      const stopped = new Set<number>();
      for (let found = family(); found.some((pid) => !stopped.has(pid)); found = family()) {
        for (const pid of found) {
          signal(pid, 'SIGSTOP');
          stopped.add(pid);
        }
      }
    },
    thaw() {
      for (const pid of family()) signal(pid, 'SIGCONT');
    },
    administer: (...statements) =>
      withClient(configOf('postgres'), async (sql) => {
        for (const statement of statements) await sql.unsafe(statement);
      }),
    ask: <Row>(database: DatabaseConfig, text: string) =>
      withClient(database, async (sql) => [...(await sql.unsafe(text))] as unknown as Row[]),
    async replicate() {
      const standbyRoot = makeFolder();
      folders.add(standbyRoot);
      const target = join(standbyRoot, 'data');
      // In one session: the backup ends with the connection that began it.
      await withClient(configOf('postgres'), async (sql) => {
        await sql`SELECT pg_backup_start('replica', true)`;
        copyData(folder, target);
        const [stop] = await sql<{ labelfile: string }[]>`SELECT labelfile FROM pg_backup_stop()`;
        writeFileSync(join(target, 'backup_label'), stop!.labelfile);
      });
      writeFileSync(join(target, 'standby.signal'), '');
      const standby = await clusterIn(target, [
        `primary_conninfo = 'host=127.0.0.1 port=${port} user=${administrator} application_name=replica'`,
      ]);
      await standby.start();
      await withClient(configOf('postgres'), async (sql) => {
        await eventually(async () => {
          const rows = await sql`SELECT FROM pg_stat_replication WHERE state = 'streaming'`;
          return rows.length === 1;
        }, 'the standby does not follow');
        await sql`ALTER SYSTEM SET synchronous_standby_names = 'replica'`;
        await sql`SELECT pg_reload_conf()`;
      });
      standby.configure("synchronous_standby_names = ''");
      return standby;
    },
    promote() {
      runOrThrow(join(findBinaries().postgres, '..', 'pg_ctl'), ['promote', '-w', '-D', folder]);
    },
  };
}

/**
 * The files of a running server. Recovery from the write-ahead log repairs torn pages (manual,
 * "Backup").
 */
function copyData(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  const { status, stderr } = spawnSync('cp', ['-a', `${from}/.`, to], { encoding: 'utf8' });
  // A file may be deleted meanwhile.
  if (status !== 0 && !/No such file/.test(stderr)) throw new Error(stderr);
  rmSync(join(to, 'postmaster.pid'), { force: true });
}

/** As an ordinary user, because PostgreSQL's programs refuse root. */
function runOrThrow(program: string, args: readonly string[]): void {
  const [command, ...all] = [...ordinaryUserPrefix(), program, ...args];
  const { status, stderr, stdout } = spawnSync(command!, all, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr}${stdout}`);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
