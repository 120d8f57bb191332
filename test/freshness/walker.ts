/** Walks over all tasks by cursor, while other clients create and remove tasks. */
import { type FreshnessEvent, now } from './events.ts';
import type { HttpSession } from './session.ts';

export interface WalkerOptions {
  readonly session: HttpSession;
  /** Tasks that exist during the whole run and never change. */
  readonly stable: ReadonlySet<number>;
  readonly record: (event: FreshnessEvent) => void;
  readonly isOver: () => boolean;
}

/** Sort keys that no write changes: a moved task may appear twice or not at all. */
const sorts = ['id', '-id', 'createdAt', '-assigneeID'];
/** Writers change titles, so with these only the stable tasks are checked. */
const sortsThatMove = ['title', '-title', 'updatedAt'];
const perPage = 25;
const retryMs = 50;

export async function walk({ session, stable, record, isOver }: WalkerOptions): Promise<void> {
  for (let turn = 0; !isOver(); turn++) {
    const all = [...sorts, ...sortsThatMove];
    const sort = all[turn % all.length]!;
    const start = now();
    const ids = await walkOnce(sort);
    if (ids === undefined) continue;
    const met = new Set<number>();
    const repeated = new Set<number>();
    for (const id of ids) {
      if (met.has(id) && (sorts.includes(sort) || stable.has(id))) repeated.add(id);
      met.add(id);
    }
    record({
      type: 'walk',
      start,
      end: now(),
      path: `sort=${sort}`,
      repeated: [...repeated],
      missing: [...stable].filter((id) => !met.has(id)),
    });
  }

  /** `undefined`: the run ended during the walk. A failed step is retried. */
  async function walkOnce(sort: string): Promise<number[] | undefined> {
    const ids: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      if (isOver()) return undefined;
      const path = `/api/tasks?sort=${sort}&per_page=${perPage}&cursor=${cursor}`;
      const answer = await session.ask('GET', path);
      if (answer?.status !== 200) {
        if (answer !== undefined && answer.status !== 503) {
          throw new Error(`${path} was answered ${answer.status}: ${answer.text}`);
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        continue;
      }
      const { data, meta } = JSON.parse(answer.text) as {
        data: { id: number }[];
        meta: { next_cursor: string | null };
      };
      ids.push(...data.map(({ id }) => id));
      cursor = meta.next_cursor;
    }
    return ids;
  }
}
