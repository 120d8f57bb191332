/**
 * The dependencies in the image: node_modules as the Dockerfile's stage `packages` builds it, with
 * the commands of that stage. containers.sh tests the image itself, with a Docker engine.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { createApi } from '../support/api.ts';
import { parseDockerfile } from '../support/dockerfile.ts';
import { root } from '../support/house.ts';
import { mayInstall } from '../support/may-install.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
}

const { packages: lock } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, Locked>>;
};
const oldBuild = 'uWebSockets.js-2023';
const ownBinary = `uws_${[process.platform, process.arch, process.versions.modules].join('_')}.node`;
/** npm's errors without a registry, if its cache is incomplete. */
const unreachable = /ENOTCACHED|ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/;
const stepTimeoutMs = 150_000;
const credentials = { METRICS_USERNAME: 'metrics-reader', METRICS_PASSWORD: 'two-two-two-two' };
const folder = mkdtempSync(join(tmpdir(), 'image-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('the service of the image runs on the packages of its stage, without the build of 2023', async (t) => {
  for (const file of ['package.json', 'package-lock.json']) {
    cpSync(join(root, file), join(folder, file));
  }
  const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const steps = stages.find(({ name }) => name === 'packages')!.instructions;
  for (const { text } of steps.filter(({ keyword }) => keyword === 'RUN')) {
    const { status, stderr } = runStep(text);
    if (/npm: .*not found/.test(stderr)) return t.skip('there is no npm in PATH');
    if (unreachable.test(stderr)) {
      return t.skip(
        "npm's cache lacks a package: TEST_INSTALL=1 fetches it where npm's registry is",
      );
    }
    assert.equal(status, 0, `${text}\n${stderr}`);
  }

  assert.deepEqual(packagesIn(join(folder, 'node_modules')), packagesOfLock());
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const binaries = files.filter((file) => file.endsWith('.node'));
  assert.deepEqual(binaries, [`node_modules/uWebSockets.js/${ownBinary}`]);

  for (const part of ['dist/src', 'dist/workers', 'dist/documents', 'sql']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  const database = await createTestDatabase('image');
  const image = {
    main: join(folder, 'dist/src/main.js'),
    folder,
    database: database.config,
    // Every batch goes to a worker, so the worker threads use these packages too.
    env: { ENV: 'production', OFFLOAD_MIN_BATCH: '0', ...credentials },
  };
  const service = await startService(image).catch((error: Error) => {
    // The C library of this machine is older than that of the image.
    assert.match(error.message, /uWebSockets\.js does not load on Node .*GLIBC_/);
    symlinkSync(join(root, 'node_modules', oldBuild), join(folder, 'node_modules', oldBuild));
    return startService(image);
  });
  const api = createApi(service.port);
  const id = await api.create();
  assert.equal((await api.get(`/api/tasks/${id}`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${service.port}/docs`)).status, 200);
  api.close();
  assert.equal(await service.stop(), 0);
  await database.drop();
});

function runStep(text: string) {
  return spawnSync('/bin/sh', ['-c', text], {
    cwd: folder,
    timeout: stepTimeoutMs,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      npm_config_prefer_offline: 'true',
      ...(mayInstall ? {} : { npm_config_offline: 'true' }),
    },
  });
}

function packagesIn(modules: string): string[] {
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
        : [name],
    )
    .sort();
}

/** The production packages of the lock file, without optional ones and the old build. */
function packagesOfLock(): string[] {
  const reached = new Set<string>();
  const open = Object.keys(lock['']!.dependencies!);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === oldBuild || reached.has(name)) continue;
    reached.add(name);
    // No package of the service is nested in another.
    open.push(...Object.keys(lock[`node_modules/${name}`]!.dependencies ?? {}));
  }
  return [...reached].sort();
}
