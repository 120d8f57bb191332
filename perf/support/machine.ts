/** Describes machine and date of a measurement, without names and paths. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { loadNativeServer } from '../../src/http/native-server.ts';
import { peersDir, rootDir } from './paths.ts';

export interface Setting {
  readonly label: string;
  readonly value: string;
}

export interface SettingsOptions {
  readonly command: string;
  readonly postgresVersion: string;
  /** The peers with installed packages. */
  readonly peers: readonly string[];
  /** The service's runtimes, each with its HTTP server; default: this process's. */
  readonly runtimes?: readonly Setting[];
}

const ourPackages = ['postgres', 'piscina', 'typebox', 'ajv'];

export function describeSettings(options: SettingsOptions): readonly Setting[] {
  const httpServer = options.runtimes === undefined ? [loadNativeServer('auto').name] : [];
  const peers = options.peers.flatMap((peer) => versionsIn(join(peersDir, peer)));
  return [
    { label: 'command', value: `\`${options.command}\`` },
    { label: 'date', value: new Date().toISOString().slice(0, 16).replace('T', ' ') },
    { label: 'commit', value: commit() },
    {
      label: 'processor',
      value: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`,
    },
    { label: 'memory', value: `${(totalmem() / 2 ** 30).toFixed(1)} GiB` },
    { label: 'system', value: `${platform()} ${release().split('-')[0]} ${arch()}` },
    ...(options.runtimes ?? [{ label: 'Node', value: process.version }]),
    { label: 'PostgreSQL', value: options.postgresVersion },
    {
      label: 'packages',
      value: [...new Set([...httpServer, ...versionsIn(rootDir, ourPackages), ...peers])].join(
        ', ',
      ),
    },
  ];
}

/** For example `2026-01-31`. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function versionsIn(directory: string, only?: readonly string[]): string[] {
  const module = join(directory, 'go.mod');
  if (existsSync(module)) return goVersions(readFileSync(module, 'utf8'));
  const text = readFileSync(join(directory, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Readonly<Record<string, string>> };
  return Object.entries(dependencies)
    .filter(([name]) => only === undefined || only.includes(name))
    .map(([name, version]) => `${name} ${version.replace(/^npm:.*@/, '')}`);
}

/** Only direct dependencies. */
function goVersions(text: string): string[] {
  const own = text.matchAll(/^\s+(\S+) v(\S+)$/gm);
  const { stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  return [stdout?.trim() ?? 'Go', ...[...own].map(([, name, version]) => `${name} ${version}`)];
}

function commit(): string {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync('git', args, { cwd: rootDir, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  const hash = git('rev-parse', '--short', 'HEAD');
  if (hash === undefined) return 'unknown';
  const changed = git('status', '--porcelain', '--', 'src', 'workers', 'sql', 'perf');
  return changed === '' ? hash : `${hash} with changes that are not committed`;
}
