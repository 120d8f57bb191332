/** The examples of the description, sent to a running service. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Method } from '../../src/contract/endpoints.ts';
import type { ProblemCode } from '../../src/contract/problems.ts';
import { exampleRequestId, examples, troubleExamples } from '../../src/openapi/examples.ts';
import { parameters } from '../../src/openapi/parameters.ts';
import { type Answer, createApi } from '../support/api.ts';
import { eventually, startService } from '../support/service.ts';
import { useService } from '../support/suite.ts';
import { endWriters, waitingWriters, whileWritesWait } from '../support/trouble.ts';

const suite = useService('openapi', { env: { REQUEST_TIMEOUT_MS: '4000' } });
const headers = { 'X-Request-Id': exampleRequestId };

/** Replaces times by whether the task has changed since it was created. */
function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, content]) => [name, withoutTimes(content)]);
  const { createdAt, updatedAt, ...rest } = Object.fromEntries(fields);
  return createdAt === undefined ? rest : { ...rest, isChanged: createdAt !== updatedAt };
}

test('each example is answered as it is documented, in the order of the story', async () => {
  for (const example of examples) {
    const { name, method, url, body, status, answerHeaders = {}, answer: expected } = example;
    const answer = await suite.api.request(method, url, {
      ...(example.headers === undefined ? {} : { headers: example.headers }),
      ...(body === undefined ? {} : { body }),
    });
    assert.equal(answer.status, status, `${name}: ${answer.text}`);
    for (const [header, value] of Object.entries(answerHeaders)) {
      assert.equal(answer.headers[header.toLowerCase()], value, `${name} ${header}`);
    }
    assert.deepEqual(withoutTimes(answer.body), withoutTimes(expected ?? null), name);
  }
});

/** Causes each failure. @returns the response to a request with the example's id. */
const troubles: Readonly<Partial<Record<ProblemCode, () => Promise<Answer>>>> = {
  async conflict() {
    const api = createApi(suite.service.port, 20);
    try {
      for (let round = 0; ; round++) {
        const keyed = { headers: { ...headers, 'Idempotency-Key': `storm-${round}` } };
        const storm = Array.from({ length: 20 }, () => api.post({ title: 'storm' }, keyed));
        const refused = (await Promise.all(storm)).find(({ status }) => status === 409);
        if (refused !== undefined) return refused;
        assert.ok(round < 100, 'no two requests with a key have met');
      }
    } finally {
      api.close();
    }
  },
  async rejected() {
    const { sql } = suite.database;
    await sql`ALTER TABLE tasks ADD CONSTRAINT allowed CHECK (title <> 'forbidden')`;
    const answer = await suite.api.post({ title: 'forbidden' }, { headers });
    await sql`ALTER TABLE tasks DROP CONSTRAINT allowed`;
    return answer;
  },
  async overloaded() {
    const { config } = suite.database;
    const service = await startService({ database: config, env: { QUEUE_MAX: '1' } });
    const api = createApi(service.port, 20);
    let refused: Answer | undefined;
    await whileWritesWait(suite.database, async () => {
      const posts = Array.from({ length: 20 }, () => api.post({ title: 'crowd' }, { headers }));
      refused = await Promise.race(posts);
      void Promise.allSettled(posts);
    });
    api.close();
    await service.stop();
    return refused!;
  },
  async unavailable() {
    await eventually(async () => (await waitingWriters(suite.database)) === 0, 'writers wait');
    let late: Answer | undefined;
    await whileWritesWait(suite.database, async () => {
      late = await suite.api.post({ title: 'too late' }, { headers });
    });
    return late!;
  },
  async outcome_unknown() {
    await eventually(async () => (await waitingWriters(suite.database)) === 0, 'writers wait');
    let lost: Answer | undefined;
    await whileWritesWait(suite.database, async () => {
      const post = suite.api.post({ title: 'who knows' }, { headers });
      await eventually(async () => (await waitingWriters(suite.database)) > 0, 'it does not wait');
      await endWriters(suite.database);
      lost = await post;
    });
    return lost!;
  },
};

for (const { code, status, answer: expected } of troubleExamples) {
  test(`a service in trouble answers ${code} as it is documented`, async () => {
    const answer = await troubles[code]!();
    assert.equal(answer.status, status);
    assert.deepEqual(answer.body, expected);
  });
}

/**
 * A request for each header, by the name of the header or parameter; the example replaces its
 * value.
 */
const carriers: Readonly<Record<string, readonly [Method, number]>> = {
  'X-Request-Id': ['GET', 200],
  traceparent: ['GET', 200],
  'If-None-Match': ['GET', 200],
  'If-Match': ['PUT', 200],
  RefusedVersions: ['PUT', 200],
  ListAbsent: ['POST', 201],
  'Idempotency-Key': ['POST', 201],
};

test('each example of a parameter is taken', async () => {
  const id = await suite.api.create({ title: 'carrier' });
  // The first request with the example's key.
  const keyed = examples.find((example) => example.headers?.['Idempotency-Key'] !== undefined)!;
  for (const [key, { name, in: place, schema }] of Object.entries(parameters)) {
    if (!('examples' in schema)) {
      assert.equal(place, 'path');
      continue;
    }
    assert.ok(schema.examples.length > 0, name);
    for (const value of schema.examples) {
      if (place === 'query') {
        const answer = await suite.api.get(`/api/tasks?${name}=${encodeURIComponent(value)}`);
        assert.equal(answer.status, 200, `${name}=${value}: ${answer.text}`);
        continue;
      }
      const [method, status] = (carriers[key] ?? carriers[name])!;
      const path = method === 'POST' ? '/api/tasks' : `/api/tasks/${id}`;
      const body = method === 'GET' ? {} : { body: keyed.body };
      const sent = { [name]: String(value), 'X-Request-Id': exampleRequestId };
      const answer = await suite.api.request(method, path, { headers: sent, ...body });
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      assert.equal(answer.headers['x-request-id'], exampleRequestId);
    }
  }
});
