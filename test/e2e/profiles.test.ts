import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createApi } from '../support/api.ts';
import { assertFetchedDescribed } from '../support/described-bytes.ts';
import { root } from '../support/house.ts';
import { scrape } from '../support/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { goIsMissing, goToolPprofLater, readPprof, runLine } from '../support/pprof.ts';
import { eventually, type Service, startService } from '../support/service.ts';

const who = 'who-measures';
const password = 'hunter2-hunter2';
let database: TestDatabase;
let guarded: Service;

before(async () => {
  database = await createTestDatabase('pprof');
  guarded = await startService({
    database: database.config,
    env: {
      FRONTENDS: '2',
      OFFLOAD_MIN_BATCH: '0',
      METRICS_USERNAME: who,
      METRICS_PASSWORD: password,
    },
  });
});

after(async () => {
  await guarded?.stop();
  await database?.drop();
});

async function fetchPage(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${guarded.port}${path}`, {
    redirect: 'manual',
    headers: { Authorization: `Basic ${btoa(`${who}:${password}`)}`, ...headers },
  });
  // Without the slash it is a redirect, which the API does not describe.
  if (path !== '/debug/pprof') await assertFetchedDescribed('GET', path, response);
  return response;
}

interface LongProfile {
  /** Resolves with the status, or when the connection ends without one. */
  readonly ended: Promise<number | 'cut off'>;
}

/** Resolves when a profile of five minutes is in progress: a second one is rejected. */
async function beginLongProfile(port: number, signal?: AbortSignal): Promise<LongProfile> {
  const url = `http://127.0.0.1:${port}/debug/pprof`;
  const headers =
    port === guarded.port ? { Authorization: `Basic ${btoa(`${who}:${password}`)}` } : {};
  for (;;) {
    let early: number | 'cut off' | undefined;
    const options = { headers, ...(signal === undefined ? {} : { signal }) };
    const ended = fetch(`${url}/profile?seconds=300`, options)
      .then(({ status }) => status)
      .catch(() => 'cut off' as const)
      .then((end) => {
        early = end;
        return end;
      });
    await eventually(
      async () => early !== undefined || (await fetch(`${url}/heap`, { headers })).status === 409,
      'a second one was made meanwhile',
    );
    // It met the probe for a running profile: start it again.
    if (early !== 409) return { ended };
  }
}

/** Reads by id until stopped. */
function makeLoad(port: number): () => Promise<void> {
  const api = createApi(port, 8);
  let running = true;
  const clients = Array.from({ length: 8 }, async () => {
    while (running) await api.get('/api/tasks/1');
  });
  return async () => {
    running = false;
    await Promise.all(clients);
    api.close();
  };
}

test('a profile comes over the port of the API, from every process and thread', async () => {
  const stop = makeLoad(guarded.port);
  const places = new Set<string>();
  const names = new Set<string>();
  const expectedPlaces = ['primary/main', 'frontend-1/main', 'frontend-2/worker-1'];
  const expectedNames = ['http/serve.handle', 'tasks/executor.execute'];
  // On busy cores a thread runs so rarely that a sampler may miss it.
  await eventually(
    async () => {
      const answer = await fetchPage('/debug/pprof/profile?seconds=3');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="profile"');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal(answer.headers.get('x-pprof-missing'), null);
      for (const sample of readPprof(new Uint8Array(await answer.arrayBuffer())).samples) {
        places.add(`${sample.labels['process']}/${sample.labels['thread']}`);
        for (const { name } of sample.functions) names.add(name);
      }
      return (
        expectedPlaces.every((place) => places.has(place)) &&
        expectedNames.every((wanted) => [...names].some((name) => name.startsWith(wanted)))
      );
    },
    () => `${[...places]}: ${[...names]}`,
    60_000,
  );
  await stop();
});

test('profiles ask for credentials, also here: these are not the default', async () => {
  for (const path of [
    '/debug/pprof/',
    '/debug/pprof',
    '/debug/pprof/heap',
    '/debug/pprof/nothing',
  ]) {
    assert.equal((await fetchPage(path, { Authorization: '' })).status, 401, path);
  }
  // Relative, so that it works behind a proxy that strips a prefix.
  assert.equal((await fetchPage('/debug/pprof')).headers.get('location'), 'pprof/');
  const index = await fetchPage('/debug/pprof/');
  assert.equal(index.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(String(index.headers.get('content-security-policy')), /style-src 'unsafe-inline'/);
  assert.match(await index.text(), /<a href="profile">/);
  assert.equal((await fetchPage('/debug/pprof/nothing')).status, 404);
  assert.equal((await fetchPage('/debug/pprofile')).status, 404);
  assert.equal((await fetchPage('/debug/pprof/profile?seconds=0')).status, 400);
});

test('profiles are taken one at a time, and a client that leaves makes room', async () => {
  const gone = new AbortController();
  const { ended } = await beginLongProfile(guarded.port, gone.signal);
  gone.abort();
  assert.equal(await ended, 'cut off');
  await eventually(
    async () => (await fetchPage('/debug/pprof/profile?seconds=1')).status === 200,
    'there is no room',
    20_000,
  );
});

test('a profile that takes longer than an idle connection may be silent arrives', async () => {
  const stop = makeLoad(guarded.port);
  const answer = await fetchPage('/debug/pprof/profile?seconds=14');
  await stop();
  assert.equal(answer.status, 200);
  assert.ok(readPprof(new Uint8Array(await answer.arrayBuffer())).samples.length > 0);
  // Profiles must not appear in the log of slow requests.
  assert.ok(!guarded.log.some(({ route }) => route === 'admin'));
});

test('a front end that is killed takes its profile along, and the service makes the next one', async () => {
  const victims = guarded.frontEnds();
  const { ended } = await beginLongProfile(guarded.port);
  for (const victim of victims) process.kill(victim, 'SIGKILL');
  assert.equal(await ended, 'cut off');
  await eventually(async () => {
    const answer = await fetchPage('/debug/pprof/heap').catch(() => undefined);
    return answer?.status === 200;
  }, 'no profile can be made any more');
});

test('a service that stops does not wait for a profile', async () => {
  const service = await startService({
    database: database.config,
    env: { SHUTDOWN_GRACE_MS: '20000' },
  });
  const { ended } = await beginLongProfile(service.port);
  assert.equal(await service.stop(), 0);
  assert.equal(await ended, 503);
  assert.ok(!service.log.some(({ message }) => message === 'the grace time is over'));
});

test("Go's tool reads them without credentials while one develops, on this machine only", async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  // On `::`, IPv4 peers have IPv4-mapped addresses.
  const BIND_ADDRESS = addresses.some(({ address }) => address === '::1') ? '::' : '0.0.0.0';
  const service = await startService({
    database: database.config,
    env: { OFFLOAD_MIN_BATCH: '0', BIND_ADDRESS },
  });
  const outer = addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  const url = `http://localhost:${service.port}/debug/pprof`;
  assert.equal((await fetch(`${url}/cmdline`)).status, 200);
  const line = await service.logged(({ message }) => message === 'metrics and profiles are served');
  const known = `Basic ${btoa('admin:admin')}`;
  for (const port of [service.port, line['port'] as number]) {
    const ask = (headers: Readonly<Record<string, string>>, host?: string) =>
      statusFor(port, headers, host);
    assert.equal(await ask({ Authorization: known }), 200);
    if (outer !== undefined) {
      assert.equal(await ask({ Host: 'localhost' }, outer), 401);
      assert.equal(await ask({ Host: 'localhost', Authorization: known }, outer), 401);
    }
    for (const headers of [
      { 'X-Forwarded-For': '203.0.113.7' },
      { Forwarded: 'for=203.0.113.7' },
      { Via: '1.1 proxy' },
      { Origin: 'https://evil.example' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { Host: 'rebound.example' },
    ] as const) {
      assert.equal(await ask(headers), 401, JSON.stringify(headers));
      // The default credentials are public.
      assert.equal(await ask({ ...headers, Authorization: known }), 401, JSON.stringify(headers));
    }
    assert.equal(await ask({ Authorization: `Basic ${btoa('admin:wrong')}` }), 401);
  }
  // Metrics always need credentials: a scraper has them.
  assert.equal((await scrape(service.port, { credentials: null })).status, 401);
  if (goIsMissing === false) {
    const stop = makeLoad(service.port);
    const top = await goToolPprofLater([
      '-top',
      '-nodecount=1000',
      '-nodefraction=0',
      `${url}/profile?seconds=2`,
    ]);
    await stop();
    assert.match(top, /http\/serve\.handle|batching\/batcher/);
  }
  await service.stop();
});

function statusFor(
  port: number,
  headers: Readonly<Record<string, string>>,
  host = '127.0.0.1',
): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, host, path: '/debug/pprof/cmdline', headers })
      .on('response', (response) => {
        response.resume();
        resolve(response.statusCode!);
      })
      .on('error', reject)
      .end();
  });
}

test("the README's commands work as they stand there", { skip: goIsMissing }, async () => {
  const service = await startService({
    database: database.config,
    env: { FRONTENDS: '2', OFFLOAD_MIN_BATCH: '0' },
  });
  const stop = makeLoad(service.port);
  const folder = mkdtempSync(join(tmpdir(), 'readme-profiles-'));
  // `list` reads sources relative to its working directory.
  for (const sources of ['src', 'workers']) symlinkSync(join(root, sources), join(folder, sources));
  const [profile, heap, saved, ...others] = readmeCommands(service.port);
  assert.ok(profile !== undefined && heap !== undefined && saved !== undefined);
  assert.deepEqual(others, []);
  const words = 'nodefraction=0\ntop 1000\nlist http/serve.handle$\nquit\n';
  const names = ['http/serve.handle', 'tasks/executor.execute', 'batching/batcher.send'];
  let shown = '';
  // On busy cores a thread runs so rarely that a sampler may miss it.
  await eventually(
    async () => {
      shown = await runLine(profile, words, folder);
      return names.every((name) => shown.includes(` ${name}`));
    },
    () => `${names.join(', ')} are not all in ${shown}`,
    60_000,
  );
  assert.match(shown, /ROUTINE =+ http\/serve\.handle in src\/http\/serve\.ts/);
  assert.match(shown, /function handle\(response: HttpResponse/);
  assert.match(await runLine(heap, 'top\nquit\n', folder), /Type: inuse_space/);
  // The difference after a second, as the tool requests it.
  const delta = heap.replace('go tool pprof ', 'go tool pprof -seconds=1 ');
  assert.match(await runLine(delta, 'top\nquit\n', folder), /Duration: 1\.\d/);
  await runLine(saved, '', folder);
  await stop();
  assert.ok(readPprof(readFileSync(join(folder, 'cpu.prof'))).samples.length > 0);
  rmSync(folder, { recursive: true });
  await service.stop();
});

/** The commands of README's section Profiles, with this port and a shorter duration. */
function readmeCommands(port: number): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = /\n## Profiles\n[\s\S]*?```sh\n([\s\S]+?)```/.exec(readme)?.[1];
  assert.ok(block !== undefined, 'README.md has no commands for profiles');
  const lines = block.split('\n').map((line) => line.replace(/\s+#.*$/, ''));
  return lines
    .filter((line) => line !== '')
    .map((line) => line.replace('localhost:8080', `localhost:${port}`))
    .map((line) => line.replace(/seconds=\d+/, 'seconds=2'));
}
