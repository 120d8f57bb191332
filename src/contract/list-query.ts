/** The query of a list: strict decoding, limits, defaults. Pure functions that never throw. */
import { decodeCursor, type Order, type Position, type SortField, sortFields } from './cursor.ts';
import { type FilterTerm, parseFilter, printFilter } from './filter.ts';
import { deepOffsetMin, idMax, pageMax, perPageDefault, perPageMax } from './limits.ts';
import type { Fault } from './problems.ts';
import { isStatus, isText, readNumber, statuses } from './values.ts';

/** Equivalent queries have the same JSON, byte for byte. */
export interface ListQuery {
  /** From 1; always 1 with a cursor. */
  readonly page: number;
  readonly perPage: number;
  readonly order: Order;
  /** Combined with AND. Sorted, without duplicates. */
  readonly terms: readonly FilterTerm[];
  /** Pages by cursor instead of number. `after` is null on the first page. */
  readonly cursor?: { readonly after: Position | null };
}

export type ListQueryResult =
  | { readonly ok: true; readonly query: ListQuery }
  | { readonly ok: false; readonly faults: readonly [Fault, ...Fault[]] };

interface Draft {
  page: number;
  pageGiven: boolean;
  perPage: number;
  order: Order;
  readonly terms: FilterTerm[];
  cursor: string | undefined;
}

/** Reads one value into the draft, or returns what was expected. */
type Parameter = (draft: Draft, value: string) => string | undefined;

const parameters: Readonly<Record<string, Parameter>> = {
  page(draft, value) {
    const page = readCount(value);
    if (page === undefined) return `must be an integer from 0 to ${pageMax}`;
    draft.page = page === 0 ? 1 : page;
    draft.pageGiven = value !== '';
    return undefined;
  },
  per_page(draft, value) {
    const perPage = readCount(value);
    if (perPage === undefined) return `must be an integer from 0 to ${pageMax}`;
    draft.perPage = perPage === 0 ? perPageDefault : Math.min(perPage, perPageMax);
    return undefined;
  },
  sort(draft, value) {
    if (value === '') return undefined;
    const descending = value.startsWith('-');
    const field = descending ? value.slice(1) : value;
    if (!isSortField(field)) {
      return `must be one of ${sortFields.join(', ')}, with - in front for descending`;
    }
    draft.order = { field, descending };
    return undefined;
  },
  filter(draft, value) {
    const result = parseFilter(value);
    if (!result.ok) return result.message;
    draft.terms.push(...result.terms);
    return undefined;
  },
  status(draft, value) {
    if (!isStatus(value)) return `must be one of ${statuses.join(', ')}`;
    draft.terms.push({ field: 'status', operator: '=', statuses: [value] });
    return undefined;
  },
  title(draft, value) {
    if (!isText(value)) return 'must not contain U+0000';
    draft.terms.push({ field: 'title', operator: '=', text: value });
    return undefined;
  },
  assigneeID: readAssignee,
  assignee_id: readAssignee,
  cursor(draft, value) {
    draft.cursor = value;
    return undefined;
  },
};

/** @param raw the text after the `?`, not decoded; empty: no query. */
export function parseListQuery(raw: string): ListQueryResult {
  const draft: Draft = {
    page: 1,
    pageGiven: false,
    perPage: perPageDefault,
    order: { field: 'id', descending: false },
    terms: [],
    cursor: undefined,
  };
  const faults: Fault[] = [];
  const seen = new Set<string>();

  for (const pair of raw === '' ? [] : raw.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined) {
      faults.push(invalid(name ?? null, 'must be valid percent-encoded UTF-8'));
      continue;
    }
    if (name.startsWith('_')) continue;
    const read = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (read === undefined) {
      faults.push({ code: 'unknown_parameter', field: name, message: 'is not a parameter' });
      continue;
    }
    const slot = name === 'assignee_id' ? 'assigneeID' : name;
    if (seen.has(slot)) {
      faults.push(invalid(name, 'must be given once'));
      continue;
    }
    seen.add(slot);
    const expected = read(draft, value);
    if (expected !== undefined) faults.push(invalid(name, expected));
  }

  const [first, ...rest] = faults;
  return first === undefined ? finish(draft) : { ok: false, faults: [first, ...rest] };
}

/** Checks that involve several parameters. */
function finish({ page, pageGiven, perPage, order, terms, cursor }: Draft): ListQueryResult {
  const query: ListQuery = { page, perPage, order, terms: sortTerms(terms) };
  if (cursor === undefined) return { ok: true, query };
  const refuse = (field: string, message: string): ListQueryResult => ({
    ok: false,
    faults: [invalid(field, message)],
  });
  if (pageGiven) return refuse('page', 'must not be given together with cursor');
  if (cursor === '') return { ok: true, query: { ...query, cursor: { after: null } } };
  const after = decodeCursor(cursor, order, scopeOf(query));
  if (after === undefined) {
    return refuse('cursor', 'must be a next_cursor of the same filter and sort order');
  }
  return { ok: true, query: { ...query, cursor: { after } } };
}

/** What a cursor is bound to: the sort order and the filter. */
export function scopeOf({ order, terms }: ListQuery): string {
  return `${printSort(order)} ${printFilter(terms)}`;
}

/** The value of the parameter `sort`. */
export function printSort({ field, descending }: Order): string {
  return descending ? `-${field}` : field;
}

/** The number of tasks before the page. */
export function offsetOf({ page, perPage }: ListQuery): number {
  return (page - 1) * perPage;
}

/**
 * `list`: one of a few statements that read one page from an index.
 * `search`: all others. They may be slow, so they have separate connections.
 */
export function listKindOf(query: ListQuery): 'list' | 'search' {
  const { order, terms, cursor } = query;
  const fields = new Set(terms.map(({ field }) => field));
  const indexed =
    fields.size === terms.length &&
    terms.every(({ field, operator }: { field: string; operator?: string }) => {
      return operator === '=' && (field === 'status' || field === 'assigneeID');
    });
  if (!indexed || (order.field !== 'id' && terms.length > 0)) return 'search';
  const counted = order.field === 'id' && !fields.has('assigneeID');
  return cursor !== undefined || counted || offsetOf(query) < deepOffsetMin ? 'list' : 'search';
}

function sortTerms(terms: readonly FilterTerm[]): FilterTerm[] {
  const byText = new Map(terms.map((term) => [JSON.stringify(term), term]));
  return [...byText.keys()].sort().map((text) => byText.get(text)!);
}

function isSortField(field: string): field is SortField {
  return (sortFields as readonly string[]).includes(field);
}

function readAssignee(draft: Draft, value: string): string | undefined {
  const id = readNumber(value);
  if (id === undefined) return `must be an integer from 0 to ${idMax}`;
  draft.terms.push({ field: 'assigneeID', operator: '=', numbers: [id] });
  return undefined;
}

/**
 * An empty value counts as 0, and 0 as the default. @returns `undefined`: not a number in bounds.
 */
function readCount(value: string): number | undefined {
  if (value === '') return 0;
  if (!/^\d{1,10}$/.test(value)) return undefined;
  const count = Number(value);
  return count <= pageMax ? count : undefined;
}

/** uWebSockets.js replaces bytes that are not UTF-8 with it. */
const replacement = '\ufffd';

/** `+` is a space. @returns `undefined` for a malformed escape or invalid UTF-8. */
function decode(text: string): string | undefined {
  if (text.includes(replacement)) return undefined;
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}

function invalid(field: string | null, message: string): Fault {
  return { code: 'invalid', field, message };
}
