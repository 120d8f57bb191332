import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFailureLog } from '../../src/telemetry/failure-log.ts';
import { createLogger } from '../../src/telemetry/log.ts';

test('of many failures at once ten are told, and the others counted by code and cause', () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'info',
    role: 'test',
    pretty: false,
    write: (line) => lines.push(JSON.parse(line)),
  });
  const failures = createFailureLog(log);
  for (let place = 0; place < 1000; place++) {
    const cause = place % 2 === 0 ? 'ECONNREFUSED' : `cause ${place}`;
    const code = 'unavailable';
    const route = '/api/tasks/:id';
    const stages = { queueMs: 1, dispatchMs: 0, statementMs: 2, replyMs: 0, totalMs: 3 };
    failures.add({ requestId: `r${place}`, method: 'GET', route, code, cause, stages }, false);
  }
  failures.close();
  assert.equal(lines.length, 11);
  assert.deepEqual(
    lines.slice(0, 10).map((line) => line['requestId']),
    Array.from({ length: 10 }, (_, place) => `r${place}`),
  );
  const { time: _, level, role: __, message, ...counts } = lines[10]!;
  assert.deepEqual([level, message], ['warn', 'more requests failed']);
  assert.equal(counts['unavailable ECONNREFUSED'], 495);
  assert.ok(Object.keys(counts).length <= 21);
  const sum = Object.values(counts).reduce<number>((total, count) => total + Number(count), 0);
  assert.equal(sum, 990);
});

test('a bug among many failures is told', () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line));
  const failures = createFailureLog(
    createLogger({ level: 'info', role: 'test', pretty: false, write }),
  );
  const failure = { requestId: 'r', method: 'PUT', route: '/api/tasks/:id', code: 'x', cause: 'y' };
  const stages = { queueMs: 1, dispatchMs: 0, statementMs: 2, replyMs: 0, totalMs: 3 };
  for (let place = 0; place < 100; place++) failures.add({ ...failure, stages }, false);
  failures.add({ ...failure, code: 'internal', stages }, true);
  assert.deepEqual([lines.at(-1)!['level'], lines.at(-1)!['code']], ['error', 'internal']);
  failures.close();
});
