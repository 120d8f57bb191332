/** A Redis for one measurement: on a Unix socket, without persistence. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adopt, stopChild } from '../support/children.ts';
import { searchPath } from '../support/options.ts';

export interface RedisServer {
  readonly pid: number;
  readonly socket: string;
  readonly version: string;
  set(key: string, value: string): void;
  /** Also listens on TCP, loopback only. */
  listen(port: number): void;
  stop(): Promise<void>;
}

const startMaxMs = 5000;

/** @returns undefined if it is not installed. */
export async function startRedis(): Promise<RedisServer | undefined> {
  const { stdout, error } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'tasks-redis-'));
  const socket = join(directory, 'redis.sock');
  const child = spawn(
    'redis-server',
    [
      '--port',
      '0',
      '--bind',
      '127.0.0.1',
      '--unixsocket',
      socket,
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      directory,
    ],
    { env: { PATH: searchPath() }, stdio: 'ignore' },
  );
  adopt(child);
  const started = performance.now();
  while (!existsSync(socket)) {
    if (performance.now() - started > startMaxMs) throw new Error('redis-server did not start');
    await sleep(20);
  }
  return {
    pid: child.pid!,
    socket,
    version: /v=([\d.]+)/.exec(stdout)?.[1] ?? 'unknown',
    set: (key, value) => command('set', key, value),
    listen: (port) => command('config', 'set', 'port', String(port)),
    async stop() {
      await stopChild(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  function command(...words: readonly string[]): void {
    const { status, stdout, stderr } = spawnSync('redis-cli', ['-s', socket, ...words], {
      encoding: 'utf8',
    });
    if (status !== 0 || !stdout.startsWith('OK')) throw new Error(`redis-cli: ${stderr}${stdout}`);
  }
}
