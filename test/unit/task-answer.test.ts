import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowMessage } from '../../perf/micro/encode.ts';
import { encodeTaskAnswer } from '../../src/tasks/encode.ts';
import { readTaskAnswer } from '../../src/tasks/item-answers.ts';
import { toTaskRow } from '../../src/tasks/task-fields.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\u0001', '\u007f', '\u2028', 'é', '😀', 'a'),
  }),
);
const timestamp = fc.constantFrom(
  '2025-12-05 12:00:00+00',
  '2025-12-05 12:00:00.1+00',
  '2025-12-05 12:00:00.123+00',
);

test('an answer made of the bytes of a row is the one made of its values', () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.nat(),
      text,
      text,
      fc.maxSafeNat(),
      timestamp,
      timestamp,
      fc.nat(20),
      (id, version, title, description, assignee, created, updated, before) => {
        const values = [
          String(id),
          String(version),
          title,
          description,
          'in_progress',
          String(assignee),
          created,
          updated,
        ];
        const bytes = Buffer.concat([Buffer.alloc(before, 0xff), rowMessage(values)]);
        const answer = readTaskAnswer(bytes, before);
        const { body, ...rest } = answer;
        assert.equal(
          Buffer.from(body).toString(),
          Buffer.from(encodeTaskAnswer(toTaskRow(values))).toString(),
        );
        assert.deepEqual(rest, { id, version, status: 200, problem: 0, flags: 0 });
      },
    ),
  );
});
