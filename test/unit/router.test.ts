import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoints } from '../../src/contract/endpoints.ts';
import { createRouter } from '../../src/http/router.ts';

const router = createRouter(endpoints);

test('every endpoint of the table is found under its method, and HEAD wherever GET is', () => {
  for (const { method, path, action } of endpoints) {
    const match = router.match(path.replace(':id', '7'));
    assert.equal(match?.resource.actions[method], action, `${method} ${path}`);
    if (method === 'GET') assert.equal(match?.resource.actions.HEAD, action);
  }
});

test('a fixed path with a trailing slash is the same resource', () => {
  assert.equal(router.match('/api/tasks/')?.resource, router.match('/api/tasks')?.resource);
  assert.equal(router.match('/livez/')?.resource, router.match('/livez')?.resource);
});

test('the segment of an id is handed on undecoded', () => {
  assert.equal(router.match('/api/tasks/%201')?.id, '%201');
  assert.equal(router.match('/api/tasks/..')?.id, '..');
});

test('a path deeper than a task, or merely similar, is none', () => {
  for (const path of [
    '/',
    '',
    '/api',
    '/api/tasks/1/',
    '/api/tasks//',
    '/api/tasksx',
    '/API/tasks',
    '//api/tasks',
    '/api/tasks/1/2',
    '/__proto__',
    '/constructor',
  ]) {
    assert.equal(router.match(path), undefined, path);
  }
});

test('Allow names each method of the path once', () => {
  assert.equal(router.match('/api/tasks')?.resource.allow, 'GET, HEAD, POST, OPTIONS');
  assert.equal(
    router.match('/api/tasks/1')?.resource.allow,
    'GET, HEAD, PUT, PATCH, DELETE, OPTIONS',
  );
});
