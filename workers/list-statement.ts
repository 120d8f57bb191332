/**
 * The statement of a list: page, total and generation in one, so from one snapshot. Its text
 * depends on the shape of the query only; values are parameters.
 *
 *   state  the generation, the number of all tasks, the number of tasks in the list
 *   page   its tasks, found in one of four ways:
 *            shallow   walk the sort order's index over the tasks before the page
 *            blocks    the counts of tasks_blocks say where the page begins (order by id)
 *            halves    walk from whichever end of the sort order is nearer
 *            cursor    begin behind a position
 */
import type { Order, Position, SortField } from '../src/contract/cursor.ts';
import type { FilterTerm } from '../src/contract/filter.ts';
import { countMax, deepOffsetMin, lookedAtCountMax } from '../src/contract/limits.ts';
import { type ListQuery, offsetOf } from '../src/contract/list-query.ts';
import type { Status } from '../src/contract/task.ts';
import {
  conditionsOf,
  createParameters,
  type Parameters,
  searchesText,
  titleByCodePoint,
} from './conditions.ts';
import { type SearchPlan, walkedTerm } from './search-plans.ts';

export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
}

export interface ListStatement extends Statement {
  /** A list with more tasks than this was not counted to its end; null: always counted exactly. */
  readonly countMax: number | null;
}

export const taskColumns =
  'id, version, title, description, status, assignee_id, created_at, updated_at';

/** Ids of one block of tasks_blocks: id >> 12. */
const blockBits = 12;

const sortColumns: Readonly<Record<SortField, string>> = {
  id: 'id',
  title: titleByCodePoint,
  status: 'status',
  assigneeID: 'assignee_id',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

export function listStatement(query: ListQuery, plan: SearchPlan): ListStatement {
  const { order } = query;
  const parameters = createParameters();
  const matching = matchingOf(query, parameters, plan.count);
  const place: Place = { query, parameters, plan: plan.page, countMax: matching.countMax };
  const page =
    query.cursor !== undefined
      ? pageBehind(place, query.cursor.after)
      : offsetOf(query) < deepOffsetMin || matching.column === undefined
        ? shallowPage(place)
        : order.field === 'id'
          ? blockPage(place, matching.column)
          : nearerHalfPage(place);

  const text = `
    SELECT state.generation, state.total, state.matching, ${prefixed('page', taskColumns)}
    FROM (SELECT generation, total, ${matching.expression} AS matching FROM tasks_state OFFSET 0) AS state
    LEFT JOIN LATERAL (${page}) AS page ON true
    ORDER BY ${orderBy(order, false, 'page.')}`;
  return { text, values: parameters.values, countMax: matching.countMax };
}

/**
 * How frequent are the tasks that a query asks for, and where? Looked up in runs of tasks all over
 * the ids. One row: an array with the hits of each run in the order of ids, and the tasks looked at.
 */
export function sampleStatement(query: ListQuery): Statement {
  const parameters = createParameters();
  const walked = walkedTerm(query);
  const others = query.terms.filter((term) => term !== walked);
  const among = conditionsOf(walked === undefined ? [] : [walked], parameters, always);
  const hit = conditionsOf(others, parameters, never) || 'true';
  const begin = `least + (most - least) / ${sampleRuns} * run`;
  const text = `
    SELECT array_agg(hits ORDER BY run), sum(seen)
    FROM (SELECT min(id) AS least, max(id) AS most FROM tasks) AS ids,
      generate_series(0, ${sampleRuns - 1}) AS run,
      LATERAL (
        SELECT count(*) FILTER (WHERE ${hit}) AS hits, count(*) AS seen
        FROM (
          SELECT * FROM tasks ${where(among, `id >= ${begin}`)} ORDER BY id LIMIT ${sampleRunTasks}
        ) AS task
      ) AS counts`;
  return { text, values: parameters.values };
}

const always = (): boolean => true;
const never = (): boolean => false;

const sampleRuns = 200;
const sampleRunTasks = 20;

interface Matching {
  readonly expression: string;
  readonly countMax: number | null;
  /** The column of tasks_state and tasks_blocks that has the total. */
  readonly column?: 'total' | Status;
}

/** The triggers keep the totals of all tasks and of each status; other lists are counted. */
function matchingOf(query: ListQuery, parameters: Parameters, plan: SearchPlan['count']): Matching {
  const [term, ...others] = query.terms;
  if (term === undefined) return { expression: 'total', countMax: null, column: 'total' };
  if (others.length === 0 && term.field === 'status' && term.operator === '=') {
    const [status] = term.statuses;
    return { expression: status, countMax: null, column: status };
  }
  // One field that is no text can be counted in its index, without a look at the tasks.
  const byIndexAlone = others.length === 0 && isIndexed(term);
  const bound = byIndexAlone ? countMax : lookedAtCountMax;
  const found = findAll('id', query, parameters, plan);
  return {
    expression: `(SELECT count(*) FROM (SELECT FROM ${found} LIMIT ${bound + 1}) AS counted)`,
    countMax: bound,
  };
}

function isIndexed(term: FilterTerm): boolean {
  return !searchesText(term);
}

/**
 * What follows FROM, to find tasks. To gather them, the planner must not see the LIMIT behind, or it
 * would hope to be done soon by walking, and walk over the whole table for what is rarer than it
 * thinks: OFFSET 0 hides one from the other. To walk, it must see no other index.
 */
function findAll(
  columns: string,
  query: ListQuery,
  parameters: Parameters,
  plan: SearchPlan['page'],
): string {
  const walked = walkedTerm(query);
  const byIndex = (term: FilterTerm): boolean =>
    plan !== 'walk' || term === walked || term.field === query.order.field;
  const conditions = conditionsOf(query.terms, parameters, byIndex);
  const fence = plan === 'gather' ? 'OFFSET 0' : '';
  return `(SELECT ${columns} FROM tasks ${where(conditions)} ${fence}) AS found`;
}

interface Place {
  readonly query: ListQuery;
  readonly parameters: Parameters;
  readonly plan: SearchPlan['page'];
  readonly countMax: number | null;
}

function shallowPage({ query, parameters, plan, countMax: bound }: Place): string {
  const found = findAll(taskColumns, query, parameters, plan);
  const limit = parameters.add(query.perPage, 'bigint');
  const offset = parameters.add(offsetOf(query), 'bigint');
  // Behind the end nothing is looked for. The planner tests this once, before it reads anything.
  const inside =
    bound === null
      ? `${offset} < state.matching`
      : `(${offset} < state.matching OR state.matching > ${bound})`;
  return `SELECT ${taskColumns} FROM ${found} ${where(inside)}
    ORDER BY ${orderBy(query.order, false)} LIMIT ${limit} OFFSET ${offset}`;
}

/** The ids alone are read, from the index, between the block's beginning and the page's. */
function blockPage({ query, parameters }: Place, counted: string): string {
  const conditions = conditionsOf(query.terms, parameters, always);
  const { descending } = query.order;
  const limit = parameters.add(query.perPage, 'bigint');
  const offset = parameters.add(offsetOf(query), 'bigint');
  const direction = descending ? ' DESC' : '';
  const inBlock = descending ? `id < (block + 1) << ${blockBits}` : `id >= block << ${blockBits}`;
  const fromFirst = descending ? 'id <= first.id' : 'id >= first.id';
  return `
    SELECT ${prefixed('task', taskColumns)}
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

/** Only one of the two runs: the other's condition is false before it reads anything. */
function nearerHalfPage({ query, parameters }: Place): string {
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

/** One task more than the page has: whether another page follows. */
function pageBehind({ query, parameters, plan }: Place, after: Position | null): string {
  const found = findAll(taskColumns, query, parameters, plan);
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
      return parameters.add(value, 'timestamptz');
  }
}

/** The id has the direction of the field before it, so that one index serves both directions. */
function orderBy({ field, descending }: Order, reversed: boolean, prefix = ''): string {
  const direction = descending === reversed ? '' : ' DESC';
  const keys = field === 'id' ? ['id'] : [sortColumns[field], 'id'];
  return keys.map((key) => `${prefix}${key}${direction}`).join(', ');
}

function where(...conditions: readonly string[]): string {
  const given = conditions.filter((condition) => condition !== '');
  return given.length === 0 ? '' : `WHERE ${given.join(' AND ')}`;
}

export function prefixed(alias: string, columns: string): string {
  return columns
    .split(', ')
    .map((column) => `${alias}.${column}`)
    .join(', ');
}
