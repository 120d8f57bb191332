/** The Link header of a list (RFC 8288): the URLs of its other pages. */
import { type FilterTerm, printFilter } from './filter.ts';
import { perPageDefault } from './limits.ts';
import { type ListQuery, printSort } from './list-query.ts';
import { isUrlTooLong } from './url-length.ts';

const path = '/api/tasks';

export interface PageCount {
  readonly totalPages: number;
  /** False: there may be more pages than were counted. */
  readonly exact: boolean;
  /** Whether the current page is full. */
  readonly full: boolean;
}

/** For a list by pages: first, prev, next and last, where they exist. */
export function pageLinks(query: ListQuery, { totalPages, exact, full }: PageCount): string {
  const { page } = query;
  const last = Math.max(totalPages, 1);
  const links = [link('first', query, 'page=1')];
  if (page > 1)
    links.push(link('prev', query, `page=${exact ? Math.min(page - 1, last) : page - 1}`));
  if (page < totalPages || (!exact && full)) links.push(link('next', query, `page=${page + 1}`));
  if (exact) links.push(link('last', query, `page=${last}`));
  return join(links);
}

/** For a list by cursor: only first and next. */
export function cursorLinks(query: ListQuery, nextCursor: string | null): string {
  const links = [link('first', query, 'cursor=')];
  if (nextCursor !== null) links.push(link('next', query, `cursor=${nextCursor}`));
  return join(links);
}

/**
 * Omits a link that the service would reject as too long. Any filter fits; a long title may not.
 */
function join(links: readonly { readonly query: string; readonly relation: string }[]): string {
  return links
    .filter(({ query }) => !isUrlTooLong(path, query))
    .map(({ query, relation }) => `<${path}?${query}>; rel="${relation}"`)
    .join(', ');
}

function link(relation: string, query: ListQuery, place: string) {
  const parts = [place];
  if (query.perPage !== perPageDefault) parts.push(`per_page=${query.perPage}`);
  const sort = printSort(query.order);
  if (sort !== 'id') parts.push(`sort=${sort}`);
  const exact = new Set<string>();
  const filter: FilterTerm[] = [];
  for (const term of query.terms) {
    const parameter = exact.has(term.field) ? undefined : exactParameter(term);
    if (parameter === undefined) {
      filter.push(term);
    } else {
      exact.add(term.field);
      parts.push(parameter);
    }
  }
  if (filter.length > 0) parts.push(`filter=${encode(printFilter(filter))}`);
  return { relation, query: parts.join('&') };
}

/** A title may be longer in its own parameter than in a filter. */
function exactParameter(term: FilterTerm): string | undefined {
  if (term.field === 'any' || term.operator !== '=') return undefined;
  switch (term.field) {
    case 'status':
      return `status=${term.statuses[0]}`;
    case 'title':
      return `title=${encode(term.text)}`;
    case 'assigneeID':
      return `assigneeID=${term.numbers[0]}`;
    default:
      return undefined;
  }
}

/** Keeps the characters that RFC 3986 allows in a query and that have no meaning in this one. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /%(20|2C|3A|2F|40|3D|24|3B|3F)/g,
    (escaped, code: string) => (code === '20' ? '+' : decodeURIComponent(escaped)),
  );
}
