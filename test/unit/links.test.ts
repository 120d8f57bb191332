import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cursorLinks, pageLinks } from '../../src/contract/links.ts';
import { type ListQuery, parseListQuery } from '../../src/contract/list-query.ts';

function queryOf(raw: string): ListQuery {
  const parsed = parseListQuery(raw);
  assert.ok(parsed.ok, raw);
  return parsed.query;
}

/** The targets by their relation (RFC 8288). */
function read(header: string): Record<string, string> {
  const links = [...header.matchAll(/<([^>]*)>; rel="([a-z]+)"/g)];
  return Object.fromEntries(links.map(([, url, relation]) => [relation, url]));
}

const counted = (totalPages: number) => ({ totalPages, exact: true, full: true });

test('a page in the middle has four links', () => {
  assert.deepEqual(read(pageLinks(queryOf('page=2'), counted(3))), {
    first: '/api/tasks?page=1',
    prev: '/api/tasks?page=1',
    next: '/api/tasks?page=3',
    last: '/api/tasks?page=3',
  });
});

test('the ends have no link beyond them', () => {
  const relations = (raw: string, pages: number) =>
    Object.keys(read(pageLinks(queryOf(raw), counted(pages))));
  assert.deepEqual(relations('page=1', 3), ['first', 'next', 'last']);
  assert.deepEqual(relations('page=3', 3), ['first', 'prev', 'last']);
  assert.deepEqual(relations('page=1', 1), ['first', 'last']);
  assert.deepEqual(relations('page=1', 0), ['first', 'last']);
  assert.equal(read(pageLinks(queryOf('page=9'), counted(3)))['prev'], '/api/tasks?page=3');
  assert.equal(read(pageLinks(queryOf('page=9'), counted(0)))['prev'], '/api/tasks?page=1');
});

test('a list that was not counted to its end has no last page, and a next one while pages are full', () => {
  const full = { totalPages: 50, exact: false, full: true };
  const far = read(pageLinks(queryOf('page=77&filter=report'), full));
  assert.deepEqual(Object.keys(far), ['first', 'prev', 'next']);
  assert.equal(far['next'], '/api/tasks?page=78&filter=report');
  const end = read(pageLinks(queryOf('page=77&filter=report'), { ...full, full: false }));
  assert.deepEqual(Object.keys(end), ['first', 'prev']);
});

test('a cursor only goes on', () => {
  assert.deepEqual(read(cursorLinks(queryOf('cursor=&sort=-title&per_page=5'), 'abc')), {
    first: '/api/tasks?cursor=&per_page=5&sort=-title',
    next: '/api/tasks?cursor=abc&per_page=5&sort=-title',
  });
  assert.deepEqual(Object.keys(read(cursorLinks(queryOf('cursor='), null))), ['first']);
});

test('a link asks for the same list, and no text of a client can end it', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const parameter = fc.oneof(
    text.map((value) => `title=${encodeURIComponent(value)}`),
    text.map((value) => {
      const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`;
      return `filter=${encodeURIComponent(`title:${quoted},${quoted},status!=done`)}`;
    }),
    fc.constantFrom('status=done', 'assignee_id=7', 'sort=-createdAt', 'per_page=7'),
  );
  const raws = fc.uniqueArray(parameter, { selector: (raw) => raw.split('=')[0], maxLength: 5 });
  fc.assert(
    fc.property(raws, (parameters) => {
      const query = queryOf(parameters.join('&'));
      const header = pageLinks(query, counted(9));
      assert.match(header, /^[\x21-\x7e ]*$/);
      const next = read(header)['next'];
      if (next === undefined) return;
      assert.deepEqual(queryOf(next.slice(next.indexOf('?') + 1)), { ...query, page: 2 });
    }),
  );
});

test('a link that would be too long to be accepted is left out', () => {
  const query = queryOf(`title=${'%F0%9F%98%80'.repeat(255)}`);
  assert.equal(pageLinks(query, counted(3)), '');
});
