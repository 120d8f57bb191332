/** The two runtimes of the service: each is a Node with the matching build of uWebSockets.js. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { inheritedEnvironment } from '../support/options.ts';
import { rootDir } from '../support/paths.ts';
import type { Missing } from './samples.ts';

export const pairNames = ['old', 'new'] as const;
export type PairName = (typeof pairNames)[number];

export interface Pair {
  readonly name: PairName;
  /** The value of UWS_BUILD. */
  readonly build: string;
  /** The path of the Node that loads this build. */
  readonly node: string;
  /** For example `Node 24.21.0, uWebSockets.js 20.57.0`. */
  readonly title: string;
}

export interface FoundPairs {
  readonly pairs: readonly Pair[];
  readonly missing: readonly Missing[];
}

/** Runs `bin/runtime` for a build. Returns the reason if that fails. */
export type Runtime = (
  command: 'install' | 'which',
  build: string,
) => { readonly ok: boolean; readonly text: string };

const builds: Readonly<Record<PairName, string>> = { old: '2023', new: 'current' };

const naming = `
const [, module, build] = process.argv;
import(module).then(({ loadNativeServer }) =>
  console.log('Node ' + process.versions.node + ', ' + loadNativeServer(build).name));`;

/** Installs a Node if the machine's does not match. */
export function findPairs(runtime: Runtime = runRuntime, name = nameOf): FoundPairs {
  const pairs: Pair[] = [];
  const missing: Missing[] = [];
  for (const pair of pairNames) {
    const build = builds[pair];
    const installed = runtime('install', build);
    const found = installed.ok ? runtime('which', build) : installed;
    if (found.ok) {
      pairs.push({ name: pair, build, node: found.text, title: name(found.text, build) });
    } else {
      missing.push({ what: `${pair} pair, UWS_BUILD=${build}`, reason: found.text });
    }
  }
  return { pairs, missing };
}

function runRuntime(command: 'install' | 'which', build: string): ReturnType<Runtime> {
  const { status, stdout, stderr, error } = spawnSync(join(rootDir, 'bin/runtime'), [command], {
    env: inheritedEnvironment({ UWS_BUILD: build }),
    encoding: 'utf8',
  });
  if (error !== undefined) return { ok: false, text: error.message };
  if (status === 0) return { ok: true, text: stdout.trim() };
  // The report must not contain a path of this machine.
  const text = stderr
    .replaceAll(rootDir, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return { ok: false, text };
}

/** As in the log line of the service's start. */
function nameOf(node: string, build: string): string {
  const module = new URL('../../src/http/native-server.js', import.meta.url).href;
  const { status, stdout, stderr } = spawnSync(node, ['-e', naming, module, build], {
    env: inheritedEnvironment({}),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${node} cannot load the build ${build}: ${stderr}`);
  return stdout.trim();
}
