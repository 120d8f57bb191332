/** Installs the peer Fastify + pg if needed, and starts it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { peersDir } from './paths.ts';
import { type RunningServer, startServer } from './server.ts';

const directory = join(peersDir, 'fastify-pg');

/** @throws an Error with npm's message if the packages cannot be installed. */
export function installFastifyPg(): void {
  const lock = readFileSync(join(directory, 'package-lock.json'), 'utf8');
  const stamp = join(directory, 'node_modules', '.installed-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('installing the peer Fastify + pg (npm ci) …\n');
  const { status, stderr, error } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: directory, encoding: 'utf8' },
  );
  if (status !== 0) {
    throw new Error(`the peer Fastify + pg could not be installed:\n${error?.message ?? stderr}`);
  }
  writeFileSync(stamp, lock);
}

export function startFastifyPg(
  database: DatabaseConfig,
  table: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  return startServer({
    name: 'Fastify + pg',
    program: join(directory, 'server.mjs'),
    directory,
    environment: {
      NODE_ENV: 'production',
      PGHOST: database.host,
      PGPORT: String(database.port),
      PGUSER: database.user,
      PGDATABASE: database.name,
      TABLE: table,
      ...settings,
    },
  });
}
