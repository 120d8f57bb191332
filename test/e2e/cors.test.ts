import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, createApi } from '../support/api.ts';
import { startService } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const ours = 'https://app.example';
const other = 'http://localhost:3000';
const suite = useService('cors', {
  env: { CORS_ORIGINS: `${ours},${other}`, CORS_HEADERS: 'baggage' },
});
const preflight = {
  Origin: ours,
  'Access-Control-Request-Method': 'PATCH',
  'Access-Control-Request-Headers': 'content-type, if-match',
};

function corsOf({ headers }: Answer): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

test('a preflight says what may be sent, to an origin that is listed', async () => {
  const answer = await suite.api.request('OPTIONS', '/api/tasks/1', { headers: preflight });
  const { headers } = answer;
  assert.equal(answer.status, 204);
  assert.equal(headers['access-control-allow-origin'], ours);
  assert.equal(headers['access-control-allow-methods'], headers.allow);
  assert.match(headers.allow!, /PATCH/);
  for (const name of [
    'Authorization',
    'Content-Type',
    'If-Match',
    'If-None-Match',
    'Idempotency-Key',
    'Last-Event-ID',
    'traceparent',
    'baggage',
  ]) {
    assert.ok(headers['access-control-allow-headers']!.split(', ').includes(name), name);
  }
  assert.ok(Number(headers['access-control-max-age']) > 0);
  assert.equal(headers.vary, 'Origin');
  assert.equal(headers['access-control-allow-credentials'], undefined);
});

test('every answer to a listed origin may be read, errors too, with the headers that matter', async () => {
  const id = await suite.api.create();
  for (const origin of [ours, other]) {
    const headers = { Origin: origin };
    const etag = (await suite.api.get(`/api/tasks/${id}`)).headers.etag!;
    const answers = [
      await suite.api.get('/api/tasks', { headers }),
      await suite.api.get(`/api/tasks/${id}`, { headers }),
      await suite.api.get(`/api/tasks/${id}`, { headers: { ...headers, 'If-None-Match': etag } }),
      await suite.api.request('HEAD', `/api/tasks/${id}`, { headers }),
      await suite.api.post({ title: 'x' }, { headers }),
      await suite.api.post({ title: '' }, { headers }),
      await suite.api.get('/nowhere', { headers }),
      await suite.api.request('DELETE', '/api/tasks', { headers }),
      await suite.api.request('DELETE', `/api/tasks/${await suite.api.create()}`, { headers }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 304, 200, 201, 400, 404, 405, 204],
    );
    for (const answer of answers) {
      assert.equal(answer.headers['access-control-allow-origin'], origin, `${answer.status}`);
      assert.equal(answer.headers.vary, 'Origin');
      const exposed = answer.headers['access-control-expose-headers']!.split(', ');
      for (const name of [
        'ETag',
        'Link',
        'Location',
        'Position',
        'RateLimit',
        'RateLimit-Policy',
        'X-Request-Id',
        'Retry-After',
        'Idempotency-Replayed',
      ]) {
        assert.ok(exposed.includes(name), name);
      }
    }
  }
});

test('another origin gets nothing, and nothing of what it sent comes back', async () => {
  for (const origin of [
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:444',
    'http://app.example',
    'HTTPS://APP.EXAMPLE',
    'null',
    '*',
    '__proto__',
    `${ours},${other}`,
  ]) {
    const answers = [
      await suite.api.get('/api/tasks', { headers: { Origin: origin } }),
      await suite.api.request('OPTIONS', '/api/tasks', {
        headers: { ...preflight, Origin: origin },
      }),
    ];
    for (const answer of answers) {
      assert.deepEqual(corsOf(answer), [], origin);
      assert.equal(answer.headers.vary, 'Origin');
      if (origin.length > 6) assert.ok(!JSON.stringify(answer.headers).includes(origin), origin);
    }
  }
});

test('no trace of CORS is there without CORS_ORIGINS, and none of credentials with *', async () => {
  const { database } = suite;
  const plain = await startService({ database: database.config });
  const open = await startService({ database: database.config, env: { CORS_ORIGINS: '*' } });
  try {
    for (const [service, origin] of [
      [plain, undefined],
      [open, '*'],
    ] as const) {
      const api = createApi(service.port);
      for (const answer of [
        await api.get('/api/tasks', { headers: { Origin: ours, Cookie: 'a=b' } }),
        await api.request('OPTIONS', '/api/tasks', { headers: preflight }),
      ]) {
        assert.equal(answer.headers['access-control-allow-origin'], origin);
        assert.equal(corsOf(answer).length > 0, origin === '*');
        assert.equal(answer.headers['access-control-allow-credentials'], undefined);
        assert.equal(answer.headers.vary, undefined);
      }
      api.close();
    }
  } finally {
    await plain.stop();
    await open.stop();
  }
});
