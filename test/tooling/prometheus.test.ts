/**
 * A real Prometheus scrapes the service with the configuration of docs/metrics.md, and runs the
 * documented queries.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApi } from '../support/api.ts';
import { freePort } from '../support/free-port.ts';
import { root } from '../support/house.ts';
import { lintMetrics, promisedNames, scrape } from '../support/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RedisServer, startRedis, withoutRedis } from '../support/redis.ts';
import { eventually, isAdminPortOpen, type Service, startService } from '../support/service.ts';

const isMissing = ['prometheus', 'promtool'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
)
  ? false
  : 'Prometheus is not installed (Debian package prometheus)';

const skip = isMissing === false ? withoutRedis() : isMissing;

const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
const rules = join(root, 'deploy/prometheus/rules.yml');
const loadSeconds = 12;
/** More than the requests in flight of all tests but the last. */
const queueMax = 64;
let database: TestDatabase;
let redis: RedisServer;
let service: Service;
let prometheus: ChildProcess;
let port: number;

before(async () => {
  if (skip !== false) return;
  database = await createTestDatabase('prometheus');
  redis = await startRedis();
  service = await startService({
    database: database.config,
    env: {
      FRONTENDS: '2',
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(redis.port),
      QUEUE_MAX: String(queueMax),
    },
  });
  const line = await service.logged(isAdminPortOpen);
  port = await freePort();
  writeFileSync(join(folder, 'prometheus.yml'), configuration(String(line['port'])));
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await makeLoad(service.port);
});

after(async () => {
  prometheus?.kill('SIGKILL');
  await service?.stop();
  await redis?.kill();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** The configuration of docs/metrics.md, with this port, a short interval and these rules. */
function configuration(target: string): string {
  const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
  const block = /```yaml\n(scrape_configs:[\s\S]+?)```/.exec(page)?.[1];
  assert.ok(block !== undefined, 'docs/metrics.md has no configuration of a scrape');
  assert.match(block, /localhost:9090/);
  return [
    'global: { scrape_interval: 1s, evaluation_interval: 1s }',
    `rule_files: ['${rules}', '${impatientRules()}']`,
    block.replace('localhost:9090', `localhost:${target}`),
  ].join('\n');
}

/** The alert about rejected requests under another name, without its delay of minutes. */
function impatientRules(): string {
  const rule = /- alert: TasksRefused\n\s+expr: (.*)\n\s+for: 2m/.exec(readFileSync(rules, 'utf8'));
  assert.ok(rule !== null, 'rules.yml has no TasksRefused as this test knows it');
  const file = join(folder, 'impatient.yml');
  const text = JSON.stringify({
    groups: [
      { name: 'impatient', rules: [{ alert: 'TasksRefusedNow', expr: rule[1], for: '1s' }] },
    ],
  });
  writeFileSync(file, text);
  return file;
}

async function makeLoad(target: number): Promise<void> {
  const api = createApi(target, 16);
  const id = await api.create();
  const end = performance.now() + loadSeconds * 1000;
  const clients = Array.from({ length: 16 }, async (_, place) => {
    while (performance.now() < end) {
      await api.get(`/api/tasks/${id}`);
      await api.get('/api/tasks?per_page=5');
      await api.get('/api/tasks?filter=title:"sample"');
      await api.get('/api/tasks/0');
      await api.put(id, { status: 'done' });
      await api.remove(await api.create());
      // Some lists are cached, some are not.
      if (place === 0) await api.post({ title: 'one more' });
      await sleep(5);
    }
  });
  await Promise.all(clients);
  api.close();
}

interface Result {
  readonly value: readonly [number, string];
}

async function query(expression: string): Promise<readonly Result[]> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const answer = (await (await fetch(url)).json()) as {
    status: string;
    error?: string;
    data: { result: readonly Result[] };
  };
  assert.equal(answer.status, 'success', `${expression}: ${answer.error}`);
  return answer.data.result;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

test('each query of each panel has data under load', { skip }, async () => {
  const dashboard = JSON.parse(
    readFileSync(join(root, 'deploy/grafana/dashboards/tasks.json'), 'utf8'),
  ) as { panels: readonly Panel[] };
  const empty: string[] = [];
  let asked = 0;
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) {
      asked++;
      const expression = expr.replaceAll('$__rate_interval', '10s').replaceAll('$job', 'tasks');
      const result = await query(expression);
      const numbers = result.filter(({ value }) => Number.isFinite(Number(value[1])));
      if (numbers.length === 0 && !mayBeEmpty.test(expr)) empty.push(`${title}: ${expression}`);
    }
  }
  assert.ok(asked > 30);
  assert.deepEqual(empty, []);
});

/** Aborted requests, which no client causes here. */
const mayBeEmpty = /requests_aborted_total/;

test('metrics that the rules ask for are there, and no rule fires', { skip }, async () => {
  await eventually(
    async () => (await query('tasks:requests_slow:ratio_rate5m')).length === 1,
    'the rules were not evaluated',
  );
  const { values } = await scrape(service.port);
  const names = new Set([...values.keys()].map((series) => series.replace(/\{.*/, '')));
  const text = readFileSync(rules, 'utf8').replaceAll(/^\s*(#|summary:).*$/gm, '');
  const asked = [...text.matchAll(/\b([a-z_]+)(?=\{[^}]*\}\[|\[|\{job| == 0)/g)].map(
    ([, name]) => name!,
  );
  assert.ok(asked.length > 8);
  for (const name of asked) assert.ok(name === 'up' || names.has(name), `there is no ${name}`);
  const firing = await query('ALERTS{alertstate="firing"}');
  assert.deepEqual(firing, []);
  assert.equal((await query('up{job="tasks"} == 1')).length, 1);
});

test('promtool finds nothing but the two promised names, under load and with Redis', {
  skip,
}, async () => {
  const { text } = await scrape(service.port);
  assert.match(text, /^redis_up\{/m);
  assert.deepEqual(lintMetrics(text), promisedNames);
});

test('TasksRefused fires under overload, in a real Prometheus', { skip }, async () => {
  const api = createApi(service.port, 4 * queueMax);
  const id = await api.create();
  let refused = 0;
  await withLockedTasks(async () => {
    // One by one, until Prometheus has scraped twice: a counter must rise between scrapes.
    await eventually(async () => {
      const answers = await Promise.all(
        Array.from({ length: 4 * queueMax }, () => api.get(`/api/tasks/${id}`)),
      );
      refused += answers.filter(({ status }) => status === 503).length;
      const [alert] = await query('ALERTS{alertname="TasksRefusedNow", alertstate="firing"}');
      return alert !== undefined;
    }, 'it does not fire');
  });
  api.close();
  assert.ok(refused > 0);
});

/** A lock blocks all reads and writes of tasks, so requests wait until they time out. */
async function withLockedTasks(use: () => Promise<void>): Promise<void> {
  const { sql } = database;
  await sql.begin(async (session) => {
    await session`LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE`;
    await use();
  });
}

test('promtool accepts configuration and rules, and the rules say what they are to say', {
  skip,
}, () => {
  cpSync(join(root, 'deploy/prometheus'), join(folder, 'deploy'), { recursive: true });
  for (const command of [
    ['check', 'rules', 'rules.yml'],
    ['test', 'rules', 'rules.test.yml'],
    ['check', 'config', join(folder, 'prometheus.yml')],
    ['check', 'config', '--syntax-only', 'prometheus-2.42.yml'],
    // For username_file.
    ...(isAtLeast(2, 49) ? [['check', 'config', '--syntax-only', 'prometheus.yml']] : []),
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', command, {
      cwd: join(folder, 'deploy'),
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${command.join(' ')}: ${stdout}${stderr}`);
  }
});

function isAtLeast(major: number, minor: number): boolean {
  const { stdout, stderr } = spawnSync('promtool', ['--version'], { encoding: 'utf8' });
  const [, first, second] = /version (\d+)\.(\d+)/.exec(stdout + stderr) ?? [];
  const [given, wanted] = [Number(first) * 1000 + Number(second), major * 1000 + minor];
  return given >= wanted;
}
