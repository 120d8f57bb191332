import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../src/contract/task.ts';
import { faultsOf } from '../support/api.ts';
import { useService } from '../support/suite.ts';

const suite = useService('validation');

/** Bodies that POST rejects, with the faults. PUT returns the same if the title is present. */
const refused: readonly (readonly [name: string, body: unknown, faults: readonly string[]])[] = [
  ['no body', '', ['malformed_json']],
  ['broken JSON', '{"title":', ['malformed_json']],
  ['two values', '{"title":"x"}{}', ['malformed_json']],
  ['single quotes', "{'title':'x'}", ['malformed_json']],
  ['a byte order mark', '\ufeff{"title":"x"}', ['malformed_json']],
  ['invalid UTF-8', Buffer.from('{"title":"\xff"}', 'latin1'), ['malformed_json']],
  ['an overlong encoding', Buffer.from('{"title":"\xc0\xaf"}', 'latin1'), ['malformed_json']],
  ['an array', '[]', ['invalid']],
  ['a task in an array', '[{"title":"x"}]', ['invalid']],
  ['null', 'null', ['invalid']],
  ['a number', '7', ['invalid']],
  ['a string', '"title"', ['invalid']],
  ['a field too many', { title: 'x', foo: 1 }, ['unknown_field foo']],
  ['__proto__', '{"title":"x","__proto__":{"status":"done"}}', ['unknown_field __proto__']],
  ['constructor', '{"title":"x","constructor":1}', ['unknown_field constructor']],
  ['another case', { title: 'x', Status: 'done' }, ['unknown_field Status']],
  ['an empty title', { title: '' }, ['invalid title']],
  ['a blank title', { title: ' \t\n\u00a0\u3000\u2028' }, ['invalid title']],
  ['a title of 256 characters', { title: 'x'.repeat(256) }, ['too_long title']],
  ['a title of 256 emoji', { title: '😀'.repeat(256) }, ['too_long title']],
  ['a title that is a number', { title: 7 }, ['invalid title']],
  ['a title that is null', { title: null }, ['invalid title']],
  ['a title that is an array', { title: ['x'] }, ['invalid title']],
  ['U+0000 in a title', '{"title":"a\\u0000b"}', ['invalid title']],
  ['a lone high surrogate', '{"title":"\\ud83d"}', ['invalid title']],
  ['a lone low surrogate', '{"title":"x","description":"\\ude00"}', ['invalid description']],
  ['U+0000 in a description', '{"title":"x","description":"\\u0000"}', ['invalid description']],
  ['a long description', { title: 'x', description: 'é'.repeat(16385) }, ['too_long description']],
  ['a description that is null', { title: 'x', description: null }, ['invalid description']],
  ['a description that is an object', { title: 'x', description: {} }, ['invalid description']],
  ['an unknown status', { title: 'x', status: 'open' }, ['invalid status']],
  ['a status in another case', { title: 'x', status: 'Pending' }, ['invalid status']],
  ['an empty status', { title: 'x', status: '' }, ['invalid status']],
  ['a status that is null', { title: 'x', status: null }, ['invalid status']],
  ['assignee -1', { title: 'x', assigneeID: -1 }, ['invalid assigneeID']],
  ['assignee 1.5', { title: 'x', assigneeID: 1.5 }, ['invalid assigneeID']],
  ['assignee 2^53', '{"title":"x","assigneeID":9007199254740992}', ['invalid assigneeID']],
  ['assignee 2^53+1', '{"title":"x","assigneeID":9007199254740993}', ['invalid assigneeID']],
  ['assignee 1e400', '{"title":"x","assigneeID":1e400}', ['invalid assigneeID']],
  ['assignee "1"', { title: 'x', assigneeID: '1' }, ['invalid assigneeID']],
  ['assignee true', { title: 'x', assigneeID: true }, ['invalid assigneeID']],
  ['a bad alias', { title: 'x', assignee_id: -1 }, ['invalid assignee_id']],
  ['two assignees', { title: 'x', assigneeID: 1, assignee_id: 2 }, ['invalid assigneeID']],
  [
    'everything at once',
    { title: ' ', description: 1, status: 'x', assigneeID: -1, foo: 1, bar: 2 },
    [
      'invalid assigneeID',
      'invalid description',
      'invalid status',
      'invalid title',
      'unknown_field bar',
      'unknown_field foo',
    ],
  ],
  ['nesting too deep', `{"title":"x","id":${'['.repeat(30)}${']'.repeat(30)}}`, ['invalid']],
  ['nesting without end', '['.repeat(100_000), ['malformed_json']],
];

for (const [name, body, faults] of refused) {
  test(`${name} is refused by POST and by PUT, and changes nothing`, async () => {
    const id = await suite.api.create();
    const before = (await suite.api.get('/api/tasks?per_page=1')).body.meta.total;
    for (const answer of [await suite.api.post(body), await suite.api.put(id, body)]) {
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(faultsOf(answer), faults);
    }
    assert.equal((await suite.api.get('/api/tasks?per_page=1')).body.meta.total, before);
    assert.equal((await suite.api.get(`/api/tasks/${id}`)).headers.etag, `"${id}-1"`);
  });
}

test('a POST needs a title', async () => {
  for (const body of [{}, { description: 'x' }, { id: 1 }]) {
    assert.deepEqual(faultsOf(await suite.api.post(body)), ['missing_field title']);
  }
});

test('a PUT needs a field that it can write', async () => {
  const id = await suite.api.create();
  for (const body of [{}, { id }, { createdAt: 'x', updated_at: 'y' }]) {
    assert.deepEqual(faultsOf(await suite.api.put(id, body)), ['missing_field']);
  }
});

/** Accepted edge cases, with a field of the result. */
const accepted: readonly (readonly [
  name: string,
  body: unknown,
  field: keyof Task,
  value: unknown,
])[] = [
  ['a title of 255 characters', { title: 'x'.repeat(255) }, 'title', 'x'.repeat(255)],
  ['a title of 255 emoji', { title: '😀'.repeat(255) }, 'title', '😀'.repeat(255)],
  ['an escaped pair of surrogates', '{"title":"\\ud83d\\ude00"}', 'title', '😀'],
  [
    'a long description',
    { title: 'x', description: '漢'.repeat(16384) },
    'description',
    '漢'.repeat(16384),
  ],
  ['assignee 0', { title: 'x', assigneeID: 0 }, 'assigneeID', 0],
  ['assignee 2^53-1', { title: 'x', assigneeID: 2 ** 53 - 1 }, 'assigneeID', 2 ** 53 - 1],
  ['assignee 1.0', '{"title":"x","assigneeID":1.0}', 'assigneeID', 1],
  ['assignee 1e3', '{"title":"x","assigneeID":1e3}', 'assigneeID', 1000],
  ['assignee null', { title: 'x', assigneeID: null }, 'assigneeID', 0],
  ['the alias', { title: 'x', assignee_id: 5 }, 'assigneeID', 5],
  ['both names alike', { title: 'x', assigneeID: 5, assignee_id: 5 }, 'assigneeID', 5],
  ['null and 0 are alike', { title: 'x', assigneeID: null, assignee_id: 0 }, 'assigneeID', 0],
  [
    'a key twice: the last counts',
    '{"title":"x","status":"done","status":"canceled"}',
    'status',
    'canceled',
  ],
  ['white space around', ' \r\n\t{ "title" : "x" } ', 'title', 'x'],
  ['nesting of 20', `{"title":"x","id":${'['.repeat(19)}${']'.repeat(19)}}`, 'title', 'x'],
];

for (const [name, body, field, value] of accepted) {
  test(`${name} is accepted by POST and by PUT`, async () => {
    const created = await suite.api.post(body);
    assert.equal(created.status, 201, created.text);
    assert.equal(created.body.data[field], value);
    const changed = await suite.api.put(created.body.data.id, body);
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.body.data[field], value);
  });
}

test('every status is accepted', async () => {
  for (const status of ['pending', 'in_progress', 'completed', 'done', 'canceled']) {
    assert.equal((await suite.api.post({ title: 'x', status })).body.data.status, status);
  }
});

test('a body that is not valid is told from a task that is not there', async () => {
  assert.equal((await suite.api.put(999_999_999, { title: '' })).status, 400);
  assert.equal((await suite.api.put(999_999_999, { title: 'x' })).status, 404);
});
