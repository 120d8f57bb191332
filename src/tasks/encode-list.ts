/** The answer of a list: its Link header and its body. */
import type { ListAnswer } from '../batching/list-frames.ts';
import { encodeCursor, type SortField } from '../contract/cursor.ts';
import { cursorLinks, pageLinks } from '../contract/links.ts';
import { type ListQuery, scopeOf } from '../contract/list-query.ts';
import type { TaskPage } from './statements.ts';
import { encodeTask, type TaskRow, toRfc3339 } from './task-fields.ts';

export function encodeListAnswer(query: ListQuery, page: TaskPage): ListAnswer & { problem: null } {
  const { links, body } = query.cursor === undefined ? byPage(query, page) : byCursor(query, page);
  return {
    problem: null,
    generation: Number(page.generation),
    // Percent-encoded, so in ASCII.
    links,
    body: Buffer.from(body),
  };
}

function byPage(query: ListQuery, { rows, total, totalExact }: TaskPage) {
  const totalPages = Math.ceil(total / query.perPage);
  const full = rows.length === query.perPage;
  const exactness = totalExact ? '' : ',"total_exact":false';
  return {
    links: pageLinks(query, { totalPages, exact: totalExact, full }),
    body: envelope(
      rows,
      `"page":${query.page},"per_page":${query.perPage},"total":${total},` +
        `"total_pages":${totalPages}${exactness}`,
    ),
  };
}

/**
 * A page by cursor has no number. The statement read one row more to know if another page follows.
 */
function byCursor(query: ListQuery, { rows, total, totalExact }: TaskPage) {
  const shown = rows.slice(0, query.perPage);
  const last = shown.at(-1);
  const next = rows.length > query.perPage && last !== undefined ? cursorBehind(query, last) : null;
  const totalPages = Math.ceil(total / query.perPage);
  const exactness = totalExact ? '' : ',"total_exact":false';
  return {
    links: cursorLinks(query, next),
    body: envelope(
      shown,
      `"page":null,"per_page":${query.perPage},"total":${total},"total_pages":${totalPages}` +
        `${exactness},"next_cursor":${next === null ? 'null' : `"${next}"`}`,
    ),
  };
}

function cursorBehind(query: ListQuery, row: TaskRow): string {
  return encodeCursor(
    { id: Number(row.id), value: sortKey(query.order.field, row) },
    scopeOf(query),
  );
}

function sortKey(field: SortField, row: TaskRow): string {
  switch (field) {
    case 'id':
      return '';
    case 'title':
      return row.title;
    case 'status':
      return row.status;
    case 'assigneeID':
      return row.assigneeId;
    case 'createdAt':
      return toRfc3339(row.createdAt);
    case 'updatedAt':
      return toRfc3339(row.updatedAt);
  }
}

function envelope(rows: readonly TaskRow[], meta: string): string {
  let data = '';
  for (const row of rows) data += (data === '' ? '' : ',') + encodeTask(row);
  return `{"data":[${data}],"meta":{${meta}},"message":"success","errors":[],"status":"ok"}`;
}
