/** The check against the API description must find every kind of difference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleRequestId, examples } from '../../src/openapi/examples.ts';
import { assertDescribed } from '../support/described.ts';

const read = examples.find(({ method, name }) => method === 'GET' && name === 'task')!;
const good = {
  status: 200,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'x-request-id': exampleRequestId,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    etag: '"1-1"',
  },
  text: JSON.stringify(read.answer),
  body: read.answer as Readonly<Record<string, unknown>>,
};
const data = good.body['data'] as object;

test('an answer that is described passes', () => {
  assertDescribed('GET', '/api/tasks/1?_=1', good);
  assertDescribed('HEAD', '/api/tasks/1', { ...good, text: '', body: null });
});

test('an answer that is not described is found', () => {
  const { etag: _, ...withoutEtag } = good.headers;
  for (const [method, target, answer, message] of [
    ['GET', '/api/tasks/1', { ...good, status: 201 }, /answers 201: not described/],
    ['GET', '/nowhere', good, /is not described/],
    ['BREW', '/api/tasks', good, /is not described/],
    ['GET', '/api/tasks', good, /lacks link/],
    ['GET', '/api/tasks/1', { ...good, headers: withoutEtag }, /lacks etag/],
    [
      'GET',
      '/api/tasks/1',
      { ...good, headers: { ...good.headers, 'x-new': '1' } },
      /x-new, which is not described/,
    ],
    [
      'GET',
      '/api/tasks/1',
      { ...good, headers: { ...good.headers, 'cache-control': 'public' } },
      /cache-control: public/,
    ],
    [
      'GET',
      '/api/tasks/1',
      { ...good, headers: { ...good.headers, 'content-type': 'text/plain' } },
      /is text\/plain/,
    ],
    [
      'GET',
      '/api/tasks/1',
      { ...good, body: { ...good.body, data: { ...data, dueAt: null } } },
      /must NOT have additional properties/,
    ],
    [
      'GET',
      '/api/tasks/1',
      { ...good, body: { ...good.body, data: { ...data, createdAt: 'yesterday' } } },
      /must match format "date-time"/,
    ],
    ['OPTIONS', '/api/tasks/1', { ...good, status: 204 }, /lacks allow/],
  ] as const) {
    assert.throws(() => assertDescribed(method, target, answer), message);
  }
});

test('a problem has the codes of its status and operation only', () => {
  const { etag: _, ...headers } = good.headers;
  const problem = (code: string) => {
    const errors = [{ code, field: null, message: 'x' }];
    const body = { data: null, meta: null, message: 'x', errors, status: 'fail' };
    return {
      status: 400,
      headers: { ...headers, 'cache-control': 'no-store' },
      text: JSON.stringify(body),
      body,
    };
  };
  assertDescribed('GET', '/api/tasks', problem('unknown_parameter'));
  assert.throws(() => assertDescribed('GET', '/api/tasks/1', problem('unknown_parameter')));
  assert.throws(() => assertDescribed('GET', '/api/tasks', problem('too_long')));
});
