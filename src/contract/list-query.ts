/** The query of a list request: strict decoding, bounds, defaults. Pure; never throws. */
import { idMax, pageMax, perPageDefault, perPageMax } from './limits.ts';
import type { Fault } from './problems.ts';
import { isStorable, type Status, statuses } from './task.ts';

export interface ListQuery {
  readonly page: number;
  readonly perPage: number;
  readonly status?: Status;
  readonly title?: string;
  readonly assigneeId?: number;
}

export type ListQueryResult =
  | { readonly ok: true; readonly query: ListQuery }
  | { readonly ok: false; readonly faults: readonly [Fault, ...Fault[]] };

type Draft = { -readonly [Key in keyof ListQuery]: ListQuery[Key] };
type Parameter = (draft: Draft, value: string) => string | undefined;

/** Each reads one value into the draft, or says what was expected. */
const parameters: Readonly<Record<string, Parameter>> = {
  page(draft, value) {
    const page = readCount(value);
    if (page === undefined) return `must be an integer from 0 to ${pageMax}`;
    draft.page = page === 0 ? 1 : page;
    return undefined;
  },
  per_page(draft, value) {
    const perPage = readCount(value);
    if (perPage === undefined) return `must be an integer from 0 to ${pageMax}`;
    draft.perPage = perPage === 0 ? perPageDefault : Math.min(perPage, perPageMax);
    return undefined;
  },
  status(draft, value) {
    if (!(statuses as readonly string[]).includes(value)) {
      return `must be one of ${statuses.join(', ')}`;
    }
    draft.status = value as Status;
    return undefined;
  },
  title(draft, value) {
    if (!isStorable(value)) return 'must not contain U+0000';
    draft.title = value;
    return undefined;
  },
  assigneeID: readAssignee,
  assignee_id: readAssignee,
};

/** @param raw what stands behind the `?`, undecoded; empty when there is none. */
export function parseListQuery(raw: string): ListQueryResult {
  const draft: Draft = { page: 1, perPage: perPageDefault };
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
  return first === undefined ? { ok: true, query: draft } : { ok: false, faults: [first, ...rest] };
}

function readAssignee(draft: Draft, value: string): string | undefined {
  const id = /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : Number.NaN;
  if (!(id <= idMax)) return `must be an integer from 0 to ${idMax}`;
  draft.assigneeId = id;
  return undefined;
}

/** Empty counts as 0, and 0 as the default; `undefined`: not a number in bounds. */
function readCount(value: string): number | undefined {
  if (value === '') return 0;
  if (!/^\d{1,10}$/.test(value)) return undefined;
  const count = Number(value);
  return count <= pageMax ? count : undefined;
}

/** `+` is a space; a malformed escape or one that is not UTF-8 is `undefined`. */
function decode(text: string): string | undefined {
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
