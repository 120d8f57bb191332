/**
 * What the Dockerfile's steps make, carried out in a folder, serves in production as an ordinary
 * user against a PostgreSQL elsewhere.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { startCluster } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { root } from '../support/house.ts';
import { buildImage, type Image, RegistryUnreachable, withoutNpm } from '../support/image.ts';
import { markName } from '../support/leftovers.ts';
import { scrape } from '../support/metrics.ts';
import { eventually } from '../support/service.ts';

interface Run {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
}

interface Locked {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const { packages: lock } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, Locked>>;
};
const startTimeoutMs = 30_000;
const credentials = { METRICS_USERNAME: 'metrics-reader', METRICS_PASSWORD: 'two-two-two-two' };
const running = new Set<ChildProcess>();
const ownBinary = `uws_${[process.platform, process.arch, process.versions.modules].join('_')}.node`;
/** Prints what the image serves with. */
const nameOfServer = [
  'node',
  '-e',
  "import(process.argv[1]).then((found) => console.log(found.loadNativeServer('auto').name))",
  './dist/src/http/native-server.js',
];
let image: Image | undefined;
/** As `build_info` names it. */
let httpServer: string | undefined;
after(() => {
  for (const child of running) child.kill('SIGKILL');
  image?.remove();
});

test('the image has what it runs and nothing else, serves as an ordinary user, stops in order', {
  skip: withoutNpm(),
}, async (t) => {
  try {
    image = await buildImage();
  } catch (error) {
    if (!(error instanceof RegistryUnreachable)) throw error;
    return t.skip("npm's registry is not reached, and npm has not kept every package");
  }
  const { folder } = image;

  await t.test('it has what it runs, and nothing else', () => {
    const top = ['LICENSE', 'dist', 'node_modules', 'package.json', 'sql'];
    assert.deepEqual(readdirSync(folder).sort(), top);
    assert.deepEqual(readdirSync(join(folder, 'dist')).sort(), ['documents', 'src', 'workers']);
    assert.deepEqual(packagesIn(folder), packagesOfLock('uWebSockets.js-2023'));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      files.filter((file) => file.endsWith('.node')),
      [`node_modules/uWebSockets.js/${ownBinary}`],
    );
  });

  await t.test('without the build of 2023 it loads the current one, or says why not', async () => {
    const run = start(image!, nameOfServer, {});
    if ((await run.ended) === 0) {
      httpServer = run.output().trim();
      assert.equal(httpServer, `uWebSockets.js ${versionOfLock('uWebSockets.js')}`);
    } else {
      // The base image has a newer C library than this machine.
      assert.match(run.output(), /uWebSockets\.js does not load on Node .*GLIBC_/);
    }
  });
  if (httpServer === undefined) {
    t.diagnostic(
      'the C library of this machine is older than that of the image: it serves with the build of 2023',
    );
    addBuildOf2023(folder);
    httpServer = `uWebSockets.js ${versionOfLock('uWebSockets.js-2023')}`;
  }

  const cluster = await startCluster();
  const database: DatabaseConfig = {
    host: '127.0.0.1',
    port: cluster.port,
    user: 'postgres',
    password: '',
    name: 'tasks',
    sslMode: 'disable',
    sslRootCert: null,
  };
  const port = await freePort();
  const metricsPort = await freePort();
  const given = {
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_NAME: database.name,
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    // Every batch travels, so that the worker threads are tried too.
    OFFLOAD_MIN_BATCH: '0',
    SHUTDOWN_DELAY_MS: '0',
    ...credentials,
  };

  await t.test('the migrator of docker-compose.yml migrates with it, once', async () => {
    const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), {
      merge: true,
    }) as { services: { migrate: { command: string[] } } };
    for (const expected of [/"?migrated"?/, /the schema is up to date/]) {
      const run = start(image!, services.migrate.command, given);
      assert.equal(await run.ended, 0, run.output());
      assert.match(run.output(), expected);
    }
  });

  const service = start(image, image.command, given);
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    async () => service.process.exitCode !== null || (await statusOf(`${url}/readyz`)) === 200,
    () => `it does not serve: ${service.output()}`,
    startTimeoutMs,
  );
  assert.equal(service.process.exitCode, null, service.output());

  await t.test('it serves tasks, documents and metrics', async () => {
    const created = await fetch(`${url}/api/tasks`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"title":"Sample task"}',
    });
    assert.equal(created.status, 201, service.output());
    const { data } = (await created.json()) as { data: unknown };
    const read = await fetch(`${url}${created.headers.get('location')}`);
    assert.deepEqual(((await read.json()) as { data: unknown }).data, data);
    const rows = await cluster.ask<{ title: string }>(database, 'SELECT title FROM tasks');
    assert.deepEqual(rows, [{ title: 'Sample task' }]);

    for (const page of ['/docs', '/swagger/index.html', '/openapi.json']) {
      assert.equal(await statusOf(`${url}${page}`), 200, page);
    }
    assert.equal((await scrape(metricsPort)).status, 401);
    const { METRICS_USERNAME, METRICS_PASSWORD } = credentials;
    const { status, text } = await scrape(metricsPort, {
      credentials: `${METRICS_USERNAME}:${METRICS_PASSWORD}`,
    });
    assert.equal(status, 200);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.match(text, new RegExp(`build_info\\{version="${version}"[^}]*"${httpServer}"`));
    assert.match(text, /batches_total\{[^}]*thread="worker"\} [1-9]/);
  });

  await t.test(
    'Prometheus scrapes it with the file of deploy/prometheus/',
    { skip: withoutPrometheus() },
    async () => {
      const scraped = mkdtempSync(join(tmpdir(), 'scrape-'));
      writeFileSync(join(scraped, 'prometheus.yml'), scrapeConfiguration(scraped, metricsPort));
      copyFileSync(join(root, 'deploy/prometheus/rules.yml'), join(scraped, 'rules.yml'));
      const own = await freePort();
      const prometheus = spawn(
        'prometheus',
        [
          `--config.file=${join(scraped, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(scraped, 'data')}`,
          `--web.listen-address=127.0.0.1:${own}`,
          '--log.level=error',
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      );
      running.add(prometheus);
      const query = `http://127.0.0.1:${own}/api/v1/query?query=up{job="tasks"}`;
      let answer = '';
      await eventually(
        async () => {
          const response = await fetch(query).catch(() => undefined);
          answer = (await response?.text()) ?? '';
          return answer.includes(',"1"]');
        },
        () => `it is not scraped: ${answer}`,
        20_000,
      );
      prometheus.kill('SIGKILL');
    },
  );

  await t.test(
    'it is an ordinary user',
    {
      skip: process.getuid?.() !== 0 ? 'only root can become another user' : false,
    },
    () => {
      const status = readFileSync(`/proc/${service.process.pid}/status`, 'utf8');
      assert.match(status, /^Uid:\t1000\t1000\t1000\t1000$/m);
    },
  );

  await t.test('its health check follows it, and SIGTERM stops it in order', async () => {
    assert.equal(await start(image!, image!.healthcheck, given).ended, 0);
    service.process.kill('SIGTERM');
    assert.equal(await service.ended, 0, service.output());
    assert.match(service.output(), /"message":"stopped"/);
    assert.notEqual(await start(image!, image!.healthcheck, given).ended, 0);
  });

  await cluster.stop();
});

/** As the engine does: the image's environment and user, its working directory, no shell. */
function start(
  from: Image,
  [program, ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
): Run {
  const child = spawn(program!, args, {
    cwd: from.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...from.environment, ...environment, [markName]: process.env[markName] },
    ...(process.getuid?.() === 0 ? from.user : {}),
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      done(code);
    });
  });
  return { process: child, ended, output: () => output };
}

function withoutPrometheus(): string | false {
  return spawnSync('prometheus', ['--version']).error === undefined
    ? false
    : 'Prometheus is not installed (Debian package prometheus)';
}

/** With our port, our files in place of the container's secrets, and no patience. */
function scrapeConfiguration(folder: string, metricsPort: number): string {
  const secret = join(folder, 'metrics_password');
  writeFileSync(secret, credentials.METRICS_PASSWORD);
  let text = readFileSync(join(root, 'deploy/prometheus/prometheus.yml'), 'utf8');
  for (const [from, to] of [
    // Debian's Prometheus takes a name from no file yet; docker-compose.yml's does.
    [/username_file: .*/, `username: ${credentials.METRICS_USERNAME}`],
    [/(password_file): .*/, `$1: ${secret}`],
    [/api:9090/, `127.0.0.1:${metricsPort}`],
    [/(scrape_interval): .*/, '$1: 1s'],
  ] as const) {
    assert.match(text, from);
    text = text.replace(from, to);
  }
  return text;
}

async function statusOf(url: string): Promise<number> {
  return fetch(url).then(
    ({ status }) => status,
    () => 0,
  );
}

function packagesIn(folder: string): string[] {
  const modules = join(folder, 'node_modules');
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
        : [name],
    )
    .filter((name) => existsSync(join(modules, name, 'package.json')))
    .sort();
}

/** What is neither for development nor optional, without a package and what only that one needs. */
function packagesOfLock(excepted: string): string[] {
  const reached = new Set<string>();
  const open = Object.keys(lock['']!.dependencies!);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === excepted || reached.has(name)) continue;
    reached.add(name);
    // No package of the service lies below another.
    open.push(...Object.keys(lock[`node_modules/${name}`]!.dependencies ?? {}));
  }
  return [...reached].sort();
}

function versionOfLock(name: string): string {
  return lock[`node_modules/${name}`]!.version.split('-')[0]!;
}

/** So that everything else can be tried where only this one loads. */
function addBuildOf2023(folder: string): void {
  const name = 'node_modules/uWebSockets.js-2023';
  for (const part of ['package.json', 'src', `binaries/${ownBinary}`]) {
    cpSync(join(root, name, part), join(folder, name, part), { recursive: true });
  }
}
