import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCors } from '../../src/http/cors.ts';

test('no origins, no CORS at all', () => {
  assert.equal(createCors([], []), undefined);
});

test('a listed origin is named, another gets no more than Vary', () => {
  const cors = createCors(['https://a.example', 'https://b.example'], [])!;
  assert.match(cors.linesFor('https://b.example'), /^\r\nVary: Origin\r\n/);
  assert.match(cors.linesFor('https://b.example'), /\r\nAccess-Control-Allow-Origin: https:\/\/b/);
  for (const origin of ['', 'null', '*', 'https://c.example', 'https://a.example\r\nX: y']) {
    assert.equal(cors.linesFor(origin), '\r\nVary: Origin', origin);
  }
});

test('every answer is the same with *', () => {
  const cors = createCors(['*'], [])!;
  assert.equal(cors.linesFor(''), cors.linesFor('https://c.example'));
  assert.match(cors.linesFor(''), /^\r\nAccess-Control-Allow-Origin: \*\r\n/);
});

test('a preflight is answered for allowed origins only, and never with credentials', () => {
  const cors = createCors(['https://a.example'], [])!;
  const lines = cors.linesFor('https://a.example');
  assert.match(
    cors.preflightLines(lines, 'GET, HEAD'),
    /Access-Control-Allow-Methods: GET, HEAD\r\n/,
  );
  assert.doesNotMatch(lines + cors.preflightLines(lines, 'GET'), /credentials/i);
  assert.equal(cors.preflightLines(cors.linesFor('https://c.example'), 'GET'), '');
  assert.equal(cors.preflightLines('', 'GET'), '');
});

test('a preflight names each header once, those of the configuration last', () => {
  const cors = createCors(['*'], ['baggage', 'AUTHORIZATION', 'X-Team'])!;
  const lines = cors.preflightLines(cors.linesFor(''), 'GET');
  const names = /Access-Control-Allow-Headers: (.*)\r\n/.exec(lines)![1]!.split(', ');
  assert.deepEqual(names.slice(-2), ['baggage', 'X-Team']);
  assert.ok(names.includes('Authorization') && names.includes('Last-Event-ID'));
  assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
  assert.ok(!names.includes('*'));
});
