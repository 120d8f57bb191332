/**
 * Builds the statement of a list: page, total and generation in one statement, so from one
 * snapshot. The text depends only on the shape of the query; values are parameters.
 *
 *   state  the generation, the number of all tasks, the number of tasks in the list
 *   page   its tasks, found in one of four ways:
 *            shallow   read the sort order's index from its start to the page
 *            blocks    the counts of tasks_blocks locate the page (order by id)
 *            halves    read from the nearer end of the sort order
 *            cursor    start after a position
 */
import type { Order, Position, SortField } from '../contract/cursor.ts';
import {
  countMax,
  deepOffsetMin,
  lookedAtApartMax,
  lookedAtCountMax,
  lookedAtMax,
} from '../contract/limits.ts';
import { type ListQuery, offsetOf } from '../contract/list-query.ts';
import type { Status } from '../contract/task.ts';
import { timestampOf } from '../contract/values.ts';
import {
  conditionsOf,
  createParameters,
  type Parameters,
  searchesText,
  titleByCodePoint,
} from './filter-conditions.ts';
import {
  always,
  findAll,
  gathersOnce,
  never,
  type Statement,
  sharedOf,
  walkOf,
  where,
} from './found-tasks.ts';
import { type SearchPlan, walkedTerm } from './search-plans.ts';
import { prefixed, taskColumns } from './task-fields.ts';

/** The size of a block of tasks_blocks: block = id >> 14. */
const blockBits = 14;

const sortColumns: Readonly<Record<SortField, string>> = {
  id: 'id',
  title: titleByCodePoint,
  status: 'status',
  assigneeID: 'assignee_id',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

/**
 * The first columns of each row: generation, tasks in the table, tasks in the list, and whether the
 * count of the list is complete.
 */
export function listStatement(query: ListQuery, plan: SearchPlan): Statement {
  const { order } = query;
  const parameters = createParameters();
  const matching = matchingOf(query, parameters, plan);
  const parts: PageParts = { query, parameters, plan };
  const page =
    query.cursor !== undefined
      ? pageBehind(parts, query.cursor.after)
      : offsetOf(query) < deepOffsetMin || matching.column === undefined
        ? shallowPage(parts)
        : order.field === 'id'
          ? blockPage(parts, matching.column)
          : nearerHalfPage(parts);

  const text = `
    ${sharedOf(query, parameters, plan)}
    SELECT state.generation, state.total, state.matching, state.finished,
      ${prefixed('page.', taskColumns)}
    FROM (
      SELECT generation, total, matching, finished FROM tasks_state, ${matching.item} AS counted
      WHERE only_row OFFSET 0
    ) AS state
    LEFT JOIN LATERAL (${page}) AS page ON true
    ORDER BY ${orderBy(order, false, 'page.')}`;
  return { text, values: parameters.values };
}

interface Matching {
  /** For FROM next to tasks_state: one row with `matching` and `finished`. */
  readonly item: string;
  /** The column of tasks_state and tasks_blocks with the total. */
  readonly column?: 'total' | Status;
}

/** Triggers maintain the totals of all tasks and of each status; other lists are counted. */
function matchingOf(query: ListQuery, parameters: Parameters, plan: SearchPlan): Matching {
  const [term, ...others] = query.terms;
  if (term === undefined) return kept('total');
  if (others.length === 0 && term.field === 'status' && term.operator === '=') {
    return kept(term.statuses[0]);
  }
  if (gathersOnce(plan)) {
    return { item: '(SELECT count(*) AS matching, true AS finished FROM gathered)' };
  }
  if (plan.count === 'walk') return { item: countedOnWalk(query, parameters) };
  // One term that is not a text is counted in its index, without reading tasks.
  const bound = others.length === 0 && !searchesText(term) ? countMax : lookedAtCountMax;
  const found = findAll('id', query, parameters, plan, plan.count, bound + 1);
  return { item: countedUpTo(bound, `SELECT FROM ${found}`, 'true') };
}

function kept(column: 'total' | Status): Matching {
  return { item: `LATERAL (SELECT ${column} AS matching, true AS finished)`, column };
}

/** Reads a bounded number of tasks, because the number of matches is unknown. */
function countedOnWalk(query: ListQuery, parameters: Parameters): string {
  const walked = walkedTerm(query);
  if (walked === undefined) {
    const hit = conditionsOf(query.terms, parameters, never);
    return countedUpTo(
      lookedAtCountMax,
      `SELECT FROM (SELECT * FROM tasks ORDER BY id LIMIT ${lookedAtMax}) AS task ${where(hit)}`,
      `NOT EXISTS (SELECT FROM tasks ORDER BY id OFFSET ${lookedAtMax})`,
    );
  }
  const limit = `ORDER BY id LIMIT ${lookedAtApartMax}`;
  const among = where(conditionsOf([walked], parameters, always));
  return countedUpTo(
    lookedAtCountMax,
    `SELECT FROM ${walkOf(query, walked, parameters, limit)}`,
    `NOT EXISTS (SELECT FROM tasks ${among} ORDER BY id OFFSET ${lookedAtApartMax})`,
  );
}

function countedUpTo(bound: number, select: string, sawAll: string): string {
  return `(
    SELECT least(count(*), ${bound}) AS matching, count(*) <= ${bound} AND ${sawAll} AS finished
    FROM (${select} LIMIT ${bound + 1}) AS some_of_them
  )`;
}

interface PageParts {
  readonly query: ListQuery;
  readonly parameters: Parameters;
  readonly plan: SearchPlan;
}

function pageSource(query: ListQuery, parameters: Parameters, plan: SearchPlan): string {
  return gathersOnce(plan) ? 'gathered' : findAll(taskColumns, query, parameters, plan, plan.page);
}

function shallowPage({ query, parameters, plan }: PageParts): string {
  const found = pageSource(query, parameters, plan);
  const limit = parameters.add(query.perPage, 'bigint');
  const offset = parameters.add(offsetOf(query), 'bigint');
  // Reads nothing after the end of the list. The planner tests this once, before any read.
  const inside = `(${offset} < state.matching OR NOT state.finished)`;
  return `SELECT ${taskColumns} FROM ${found} ${where(inside)}
    ORDER BY ${orderBy(query.order, false)} LIMIT ${limit} OFFSET ${offset}`;
}

/** Reads only ids, from the index, between the start of the block and the start of the page. */
function blockPage({ query, parameters }: PageParts, counted: string): string {
  const conditions = conditionsOf(query.terms, parameters, always);
  const { descending } = query.order;
  const limit = parameters.add(query.perPage, 'bigint');
  const offset = parameters.add(offsetOf(query), 'bigint');
  const direction = descending ? ' DESC' : '';
  const inBlock = descending ? `id < (block + 1) << ${blockBits}` : `id >= block << ${blockBits}`;
  const fromFirst = descending ? 'id <= first.id' : 'id >= first.id';
  return `
    SELECT ${prefixed('task.', taskColumns)}
    FROM (
      SELECT block, before FROM (
        SELECT block, ${counted} AS inside,
          sum(${counted}) OVER (ORDER BY block${direction}) - ${counted} AS before
        FROM tasks_blocks
      ) AS counts
      WHERE before <= ${offset} AND before + inside > ${offset}
    ) AS block,
    LATERAL (
      SELECT id FROM tasks ${where(conditions, inBlock)}
      ORDER BY id${direction} LIMIT 1 OFFSET ${offset} - before
    ) AS first,
    LATERAL (
      SELECT ${taskColumns} FROM tasks ${where(conditions, fromFirst)}
      ORDER BY id${direction} LIMIT ${limit}
    ) AS task`;
}

/** Only one of the two branches runs: the other's condition is false before it reads. */
function nearerHalfPage({ query, parameters }: PageParts): string {
  const conditions = conditionsOf(query.terms, parameters, always);
  const { order } = query;
  const limit = parameters.add(query.perPage, 'bigint');
  const offset = parameters.add(offsetOf(query), 'bigint');
  const isNear = `${offset} <= state.matching / 2`;
  const isFar = `${offset} > state.matching / 2 AND ${offset} < state.matching`;
  return `
    (SELECT ${taskColumns} FROM tasks ${where(conditions, isNear)}
      ORDER BY ${orderBy(order, false)} LIMIT ${limit} OFFSET ${offset})
    UNION ALL
    (SELECT ${taskColumns} FROM tasks ${where(conditions, isFar)}
      ORDER BY ${orderBy(order, true)}
      LIMIT greatest(least(${limit}, state.matching - ${offset}), 0)
      OFFSET greatest(state.matching - ${offset} - ${limit}, 0))`;
}

/** Reads one task more than the page has, to know whether another page follows. */
function pageBehind({ query, parameters, plan }: PageParts, after: Position | null): string {
  const found = pageSource(query, parameters, plan);
  const { order } = query;
  let behind = '';
  if (after !== null) {
    const comparison = order.descending ? '<' : '>';
    const id = parameters.add(after.id, 'bigint');
    behind =
      order.field === 'id'
        ? `id ${comparison} ${id}`
        : `(${sortColumns[order.field]}, id) ${comparison} (${sortValue(order.field, after, parameters)}, ${id})`;
  }
  return `SELECT ${taskColumns} FROM ${found} ${where(behind)}
    ORDER BY ${orderBy(order, false)} LIMIT ${parameters.add(query.perPage + 1, 'bigint')}`;
}

function sortValue(field: SortField, { value }: Position, parameters: Parameters): string {
  switch (field) {
    case 'id':
    case 'assigneeID':
      return parameters.add(value, 'bigint');
    case 'title':
      return `${parameters.add(value, 'text')} COLLATE "C"`;
    case 'status':
      return parameters.add(value, 'text');
    case 'createdAt':
    case 'updatedAt':
      return parameters.add(timestampOf(value), 'timestamptz');
  }
}

/** The id has the direction of the first sort key, so one index serves both directions. */
function orderBy({ field, descending }: Order, reversed: boolean, prefix = ''): string {
  const direction = descending === reversed ? '' : ' DESC';
  const keys = field === 'id' ? ['id'] : [sortColumns[field], 'id'];
  return keys.map((key) => `${prefix}${key}${direction}`).join(', ');
}
