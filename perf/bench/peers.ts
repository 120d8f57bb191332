/** Installs and starts the peers. A peer that cannot run is reported with the reason. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { peersDir } from '../support/paths.ts';
import { type RunningServer, startServer } from '../support/server.ts';

export interface Peer {
  /** The name of its folder. */
  readonly name: string;
  readonly title: string;
  /** Returns only the list, from Redis; otherwise only tasks. */
  readonly list: boolean;
  readonly tasks: boolean;
  readonly kind: 'node' | 'bun' | 'go';
}

export interface PeerOptions {
  readonly database: DatabaseConfig;
  readonly table: string;
  /** Processes of peers on Node or Bun; a Go process uses every core. */
  readonly processes: number;
  readonly redisSocket: string | null;
}

export const peers: readonly Peer[] = [
  { name: 'fastify-pg', title: 'Fastify + pg', list: false, tasks: true, kind: 'node' },
  {
    name: 'fastify-postgres',
    title: 'Fastify + postgres.js',
    list: false,
    tasks: true,
    kind: 'node',
  },
  { name: 'express-pg', title: 'Express + pg', list: false, tasks: true, kind: 'node' },
  {
    name: 'uws-postgres',
    title: 'uWebSockets.js + postgres.js',
    list: false,
    tasks: true,
    kind: 'node',
  },
  { name: 'go-gin-pgx', title: 'Go: Gin + pgx', list: true, tasks: true, kind: 'go' },
  { name: 'bun', title: 'Bun.serve + Bun.sql', list: false, tasks: true, kind: 'bun' },
  {
    name: 'fastify-redis',
    title: 'Fastify, bytes out of Redis',
    list: true,
    tasks: false,
    kind: 'node',
  },
];

/** @returns why it cannot run, or null. */
export function installPeer(peer: Peer): string | null {
  const directory = join(peersDir, peer.name);
  const sources = peer.kind === 'go' ? ['go.mod', 'go.sum', 'main.go'] : ['package-lock.json'];
  const state = stateOf(sources.map((file) => join(directory, file)));
  const made = join(directory, peer.kind === 'go' ? 'build' : 'node_modules');
  const stamp = join(made, '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return null;
  process.stderr.write(`installing the peer ${peer.title} …\n`);
  const reason = peer.kind === 'go' ? buildGo(directory) : installPackages(directory);
  if (reason !== null) return reason;
  if (peer.kind === 'bun' && !existsSync(bunProgram(directory))) {
    return `Bun has no package for ${platform()} ${arch()}`;
  }
  writeFileSync(stamp, state);
  return null;
}

export function startPeer(peer: Peer, options: PeerOptions): Promise<RunningServer> {
  const directory = join(peersDir, peer.name);
  const { database, redisSocket } = options;
  return startServer({
    name: peer.title,
    directory,
    ...commandOf(peer, directory, options.processes),
    environment: {
      NODE_ENV: 'production',
      PGHOST: database.host,
      PGPORT: String(database.port),
      PGUSER: database.user,
      PGDATABASE: database.name,
      TABLE: options.table,
      ...(redisSocket === null ? {} : { REDIS_SOCKET: redisSocket }),
    },
  });
}

interface Command {
  readonly program: string;
  readonly arguments?: readonly string[];
  readonly runtime?: string | null;
}

function commandOf(peer: Peer, directory: string, processes: number): Command {
  const program = join(directory, 'server.mjs');
  if (peer.kind === 'go') return { program: join(directory, 'build/server'), runtime: null };
  if (peer.kind === 'bun') return { program, runtime: bunProgram(directory) };
  if (processes === 1) return { program };
  return { program: join(peersDir, 'cluster.mjs'), arguments: [program, String(processes)] };
}

/** The package links `bun` in an install script, and those are disabled. */
function bunProgram(directory: string): string {
  const scope = join(directory, 'node_modules/@oven');
  const found = existsSync(scope) ? readdirSync(scope)[0] : undefined;
  return join(scope, found ?? '', 'bin/bun');
}

function installPackages(directory: string): string | null {
  const { status, stderr, error } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: directory, encoding: 'utf8' },
  );
  return status === 0 ? null : `npm ci failed: ${lastLine(error?.message ?? stderr)}`;
}

function buildGo(directory: string): string | null {
  const { status, stderr, error } = spawnSync('go', ['build', '-o', 'build/server', '.'], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (error !== undefined) return 'Go is not installed';
  return status === 0 ? null : `go build failed: ${lastLine(stderr)}`;
}

function stateOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
