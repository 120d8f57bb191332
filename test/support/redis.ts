/**
 * A real Redis for tests: installed, or with TEST_INSTALL=1 from Debian's packages. It stores
 * nothing on disk and ends with the test.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after } from 'node:test';
import { freePort } from './free-port.ts';
import { mayInstall } from './may-install.ts';
import { eventually, makeFolder } from './service.ts';

export interface RedisServer {
  readonly port: number;
  /** Kills it with SIGKILL; its data is lost. */
  kill(): Promise<void>;
  /** Starts it on the same port. */
  start(): Promise<void>;
  /** Stops it with SIGSTOP: it answers nothing and keeps its connections. */
  freeze(): void;
  thaw(): void;
  /** Sends a command, such as `FLUSHALL`. @returns the first line of the reply. */
  command(text: string): Promise<string>;
  /** The complete reply, lines of lists joined by commas. Needs redis-cli. */
  ask(...command: string[]): string;
}

export interface RedisOptions {
  /** Further arguments of the server. */
  readonly args?: readonly string[];
  /** A configuration file that it may write to, as a Sentinel does. */
  readonly file?: string;
  /** Sent before each command of a test: `AUTH user password`. */
  readonly login?: string;
}

const programs = ['redis-server', 'valkey-server'];
const clients = ['redis-cli', 'valkey-cli'];
/** The first version with ACLs for subcommands, `--cluster-port` and CLUSTER ADDSLOTSRANGE. */
const majorMin = 7;
const installTimeoutMs = 120_000;
const running = new Set<ChildProcess>();
const folders = new Set<string>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** For the `skip` of a test: false if there is a Redis, otherwise what to do. */
export function withoutRedis(): string | false {
  if (findProgram() !== undefined) return false;
  if (mayInstall) install();
  if (findProgram() !== undefined) return false;
  return 'there is no redis-server: apt-get install redis-server, or TEST_INSTALL=1 as root';
}

/** As {@link withoutRedis}, for tests with groups of servers or restricted users. */
export function withoutRedisTools(): string | false {
  const without = withoutRedis();
  if (without !== false) return without;
  if (findProgram(clients) === undefined)
    return 'there is no redis-cli: apt-get install redis-tools';
  const { stdout } = spawnSync(findProgram()!, ['--version'], { encoding: 'utf8' });
  const major = Number(/ v=(\d+)/.exec(stdout)?.[1]);
  return major >= majorMin ? false : `needs Redis ${majorMin} or newer, there is ${stdout.trim()}`;
}

const startTriesMax = 5;

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = findProgram()!;
  let port = await freePort();
  const { file, args = [], login } = options;
  // A replica writes its master's data to disk; another server in the folder would load it.
  const folder = makeFolder();
  folders.add(folder);
  let child: ChildProcess;

  /** Rejects if it ends instead. */
  async function start(): Promise<void> {
    const started = spawn(
      program,
      [
        ...(file === undefined ? [] : [file]),
        ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder],
        ...(args.includes('--sentinel') ? [] : ['--save', '', '--appendonly', 'no']),
        ...args,
      ],
      { stdio: 'ignore' },
    );
    child = started;
    running.add(started);
    const isThere = async () =>
      /^(\+PONG|-LOADING|-NOAUTH|-MASTERDOWN)/.test(await command('PING').catch(() => ''));
    await eventually(async () => started.exitCode !== null || (await isThere()), 'no Redis');
    if (started.exitCode !== null) throw new Error(`Redis ended with ${started.exitCode}`);
  }

  /** Another process may have taken the port, or a cluster node's second port. */
  async function startSomewhere(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await start();
      } catch (error) {
        if (tries === startTriesMax) throw error;
        port = await freePort();
      }
    }
  }

  function command(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(`${login === undefined ? '' : `${login}\r\n`}${text}\r\n`);
      });
      let said = '';
      socket.on('data', (bytes) => {
        said += String(bytes);
        const lines = said.split('\r\n');
        const place = login === undefined ? 0 : 1;
        if (lines.length <= place + 1) return;
        resolve(lines[place]!);
        socket.destroy();
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('Redis has closed the connection')));
    });
  }

  await startSomewhere();
  return {
    port,
    start,
    command,
    ask(...words) {
      const args = ['-p', `${port}`, '--no-auth-warning', ...words];
      const { status, stdout, stderr } = spawnSync(findProgram(clients)!, args, {
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`);
      return stdout.trim().replaceAll('\n', ',');
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async kill() {
      running.delete(child);
      // The hook above runs before those of the test file, and an end that has passed causes no
      // event.
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function findProgram(names: readonly string[] = programs): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names
    .flatMap((program) => folders.map((folder) => join(folder, program)))
    .find((file) => existsSync(file));
}

/** Once, for all test files: flock makes the others wait. */
function install(): void {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const folder = mkdtempSync(join(tmpdir(), 'apt-'));
  // Debian's packages start their service at installation; tests start their own server.
  const script = `
    exec 9>/var/lock/tasks-test-redis && flock 9
    command -v redis-server >/dev/null && exit 0
    policy=/usr/sbin/policy-rc.d
    test -e $policy || { printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod +x $policy && made=1; }
    apt-get install -y -q --no-install-recommends redis-server ||
      { apt-get update -q && apt-get install -y -q --no-install-recommends redis-server; }
    test -z "$made" || rm -f $policy`;
  spawnSync('sh', ['-c', script], {
    cwd: folder,
    timeout: installTimeoutMs,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  rmSync(folder, { recursive: true, force: true });
}
