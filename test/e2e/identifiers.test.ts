import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf } from '../support/api.ts';
import { useService } from '../support/suite.ts';

const suite = useService('identifiers');
const malformed = [
  '0',
  '00',
  '-1',
  '+1',
  '1.5',
  '1.0',
  '1e3',
  '0x1',
  '01',
  '%201',
  '1%20',
  '%31',
  '%00',
  'abc',
  'null',
  '1,2',
  '-',
  '%D9%A3',
  '%EF%BC%91',
];
const absent = [
  '9007199254740991',
  '9007199254740992',
  '9223372036854775807',
  '9'.repeat(30),
  '1'.repeat(500),
];

for (const id of malformed) {
  test(`the id ${id} is malformed`, async () => {
    const target = `/api/tasks/${id}`;
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { body: { title: 'x' } } : {};
      const answer = await suite.api.request(method, target, body);
      assert.equal(answer.status, 400, `${method} ${target}`);
      assert.deepEqual(faultsOf(answer), ['invalid id']);
    }
  });
}

for (const id of absent) {
  test(`the id ${id.slice(0, 40)} does not exist`, async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { body: { title: 'x' } } : {};
      const answer = await suite.api.request(method, `/api/tasks/${id}`, body);
      assert.deepEqual([answer.status, faultsOf(answer)], [404, ['not_found']]);
    }
  });
}

test('a task has one URL', async () => {
  const id = await suite.api.create();
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).status, 200);
  for (const path of [
    `/api/tasks/${id}/`,
    `/api/tasks//${id}`,
    `//api/tasks/${id}`,
    `/api/Tasks/${id}`,
  ]) {
    assert.equal((await suite.api.get(path)).status, 404, path);
  }
});
