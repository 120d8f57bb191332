import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeTaskAnswer } from '../../src/tasks/encode.ts';
import { type TaskRow, toRfc3339 } from '../../src/tasks/task-fields.ts';

const row: TaskRow = {
  id: '9007199254740991',
  version: '3',
  title: 'He said "hi" \\ \n \u2028',
  description: '😀',
  status: 'in_progress',
  assigneeId: '7',
  createdAt: '2025-12-05 12:00:00+00',
  updatedAt: '2025-12-05 12:00:00.12+00',
};

const task = {
  id: Number.MAX_SAFE_INTEGER,
  title: row.title,
  description: row.description,
  status: 'in_progress',
  assigneeID: 7,
  createdAt: '2025-12-05T12:00:00.000Z',
  updatedAt: '2025-12-05T12:00:00.120Z',
};

const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

test('a task is answered in the envelope, its keys in the order of the contract', () => {
  const answer = parse(encodeTaskAnswer(row)) as Record<string, unknown>;
  const envelope = { data: task, meta: null, message: 'success', errors: [], status: 'ok' };
  assert.deepEqual(answer, envelope);
  assert.deepEqual(Object.keys(answer), Object.keys(envelope));
  assert.deepEqual(Object.keys(answer['data'] as object), Object.keys(task));
});

test('timestamps of every millisecond keep their digits', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('1970-01-01T00:00:00Z'),
        max: new Date('9999-12-31T00:00:00Z'),
        noInvalidDate: true,
      }),
      (date) => {
        const iso = date.toISOString();
        // PostgreSQL omits trailing zeros of a fraction, and a zero fraction.
        const fraction = iso.slice(20, 23).replace(/0+$/, '');
        const text = `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction === '' ? '' : `.${fraction}`}+00`;
        assert.equal(toRfc3339(text), iso);
      },
    ),
  );
});

test('a timestamp of another time zone is the same moment, and of another form none', () => {
  assert.equal(toRfc3339('2025-12-05 21:00:00.12+09'), '2025-12-05T12:00:00.120Z');
  assert.equal(toRfc3339('2025-12-05 08:30:00-03:30'), '2025-12-05T12:00:00.000Z');
  assert.equal(toRfc3339('1887-12-31 15:00:00+09:18:59'), '1887-12-31T05:41:01.000Z');
  const others = ['infinity', '05.12.2025 12:00:00.12 UTC', '12/05/2025 12:00:00 UTC', ''];
  others.push(
    'Fri Dec 05 12:00:00.12 2025 UTC',
    '10000-01-01 00:00:00+00',
    '0001-01-01 00:00:00+00 BC',
  );
  for (const other of others) assert.throws(() => toRfc3339(other), { code: 'UNREADABLE_TIME' });
});
