/** The files of deploy/ with the real programs, in front of two services on one database. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase } from '../support/postgres.ts';
import { type ProxyName, startProxy, withoutProxy } from '../support/proxy.ts';
import { type Service, startService } from '../support/service.ts';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

type Send = (
  method: string,
  path: string,
  body?: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<Reply>;

function createSend(port: number, agent: Agent): Send {
  return (method, path, body, headers = {}) =>
    new Promise((done, reject) => {
      const isChunked = headers['Transfer-Encoding'] !== undefined;
      const length =
        body === undefined || isChunked ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const outgoing = request(
        {
          agent,
          port,
          host: '127.0.0.1',
          method,
          path,
          rejectUnauthorized: false,
          headers: {
            Host: 'api.example',
            'Content-Type': 'application/json',
            ...length,
            ...headers,
          },
        },
        (incoming) => {
          let text = '';
          incoming.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          incoming.on('error', reject);
          incoming.on('end', () =>
            done({ status: incoming.statusCode!, headers: incoming.headers, text }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
}

for (const name of ['nginx', 'haproxy'] as const satisfies readonly ProxyName[]) {
  test(`${name} with our file lets through what the service serves, and little else; a service behind it stops unnoticed`, {
    skip: withoutProxy(name),
  }, async () => {
    const database = await createTestDatabase(name);
    // As in production: the proxy must notice in time.
    const env = { SHUTDOWN_DELAY_MS: '5000' };
    const services = await Promise.all([
      startService({ database: database.config, env }),
      startService({ database: database.config, env }),
    ]);
    const [one, two] = services as [Service, Service];
    const agent = new Agent({ keepAlive: true });
    try {
      const proxy = await startProxy(name, [one.port, two.port]);
      const send = createSend(proxy.tlsPort, agent);
      await checkKinds(send, proxy.plainPort, name);
      await checkStop(send, one, two);
      await proxy.stop();
    } finally {
      agent.destroy();
      await Promise.all([one.stop(), two.stop()]);
      await database.drop();
    }
  });
}

async function checkKinds(send: Send, plainPort: number, name: ProxyName): Promise<void> {
  const created = await send('POST', '/api/tasks', '{"title":"through a proxy"}');
  assert.equal(created.status, 201, created.text);
  const path = created.headers['location'] as string;
  const etag = created.headers['etag'] as string;
  assert.equal(created.headers['uwebsockets'], undefined);
  assert.match(created.headers['strict-transport-security'] as string, /max-age/);
  assert.ok(created.headers['x-request-id']);

  assert.equal((await send('GET', path)).text, created.text);
  assert.equal((await send('GET', path, undefined, { 'If-None-Match': etag })).status, 304);
  const head = await send('HEAD', path);
  assert.deepEqual([head.status, head.text], [200, '']);
  const list = await send('GET', '/api/tasks?status=pending&per_page=5');
  assert.equal(list.status, 200);
  assert.equal((await send('OPTIONS', path)).status, 204);
  const changed = await send('PUT', path, '{"status":"done"}', { 'If-Match': etag });
  assert.equal(changed.status, 200);
  assert.equal((await send('PUT', path, '{"status":"done"}', { 'If-Match': etag })).status, 412);
  const patched = await send('PATCH', path, '{"status":null}');
  assert.match(patched.text, /"status":"pending"/);
  const key = { 'Idempotency-Key': `once-${name}` };
  await send('POST', '/api/tasks', '{"title":"once"}', key);
  const again = await send('POST', '/api/tasks', '{"title":"once"}', key);
  assert.equal(again.headers['idempotency-replayed'], 'true');
  assert.equal((await send('DELETE', path)).status, 204);
  assert.equal((await send('GET', path)).status, 404);

  const title = 'x'.repeat(255);
  const large = JSON.stringify({ title, id: ' '.repeat(120_000) });
  assert.equal((await send('POST', '/api/tasks', large)).status, 201);
  assert.equal((await send('POST', '/api/tasks', ' '.repeat(132_000))).status, 413);
  // nginx buffers the body and sends its length; HAProxy sends chunks.
  const chunked = await send('POST', '/api/tasks', '{"title":"x"}', {
    'Transfer-Encoding': 'chunked',
  });
  assert.equal(chunked.status, 201, chunked.text);
  const tooLarge = await send('POST', '/api/tasks', ' '.repeat(132_000), {
    'Transfer-Encoding': 'chunked',
  });
  assert.equal(tooLarge.status, 413);
  for (const inside of ['/metrics', '/debug/pprof/heap']) {
    const hidden = await send('GET', inside);
    assert.equal(hidden.status, 404);
    assert.doesNotMatch(hidden.text, /"errors"/, 'the service was asked');
  }
  // Without the proxy the request would hang in the service.
  const odd = await send('GET', '/livez', undefined, { x_odd: '1', 'x.odd': '1' });
  assert.ok(odd.status === 200 || odd.status === 400);
  const plain = await fetch(`http://127.0.0.1:${plainPort}/api/tasks`, { redirect: 'manual' });
  assert.equal(plain.status, 301);
}

/** One of the two services stops while clients work. */
async function checkStop(send: Send, one: Service, two: Service): Promise<void> {
  const statuses = new Map<number, number>();
  let isOver = false;
  const clients = Array.from({ length: 6 }, async (_, client) => {
    while (!isOver) {
      const { status } =
        client % 2 === 0
          ? await send('POST', '/api/tasks', '{"title":"goes on"}')
          : await send('GET', '/api/tasks?per_page=1');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await sleep(2);
    }
  });
  await sleep(500);
  assert.equal(await one.stop(), 0);
  await sleep(500);
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual([...statuses.keys()].sort(), [200, 201], JSON.stringify([...statuses]));
  assert.equal(
    two.log.some(({ level }) => level === 'error'),
    false,
  );
}
