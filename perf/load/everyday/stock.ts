/** The tasks of a service that runs, found over its API: a load that asks for others measures 404s. */
import { createRandom } from '../../seed/random.ts';
import type { Stock } from '../scenarios.ts';

const perPage = 100;
const pagesMax = 20;

interface Page {
  readonly data: readonly { readonly id: number }[];
  readonly meta: { readonly total: number; readonly total_pages: number };
}

/**
 * The ids of some pages from all over the list.
 * @throws an Error that says what to do if no service answers or it has no tasks.
 */
export async function findStock(url: URL): Promise<Stock> {
  const first = await readPage(url, 1);
  const { total, total_pages: pages } = first.meta;
  if (total === 0) {
    throw new Error(
      `the service at ${url.origin} has no tasks: make db-seed first, with the embedded database while ` +
        'the service is stopped',
    );
  }
  const random = createRandom(1);
  const ids = new Set(first.data.map(({ id }) => id));
  for (let looks = 1; looks < Math.min(pages, pagesMax); looks++) {
    const number = pages <= pagesMax ? looks + 1 : random.integer(1, pages);
    for (const { id } of (await readPage(url, number)).data) ids.add(id);
  }
  const known = [...ids];
  return { total, known: known.length, idAt: (place) => known[place - 1]! };
}

/** @returns the ids of new tasks, which may be deleted. */
export async function makeDoomed(url: URL, count: number): Promise<readonly number[]> {
  const ids: number[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (left-- > 0) ids.push(await createTask(url));
    }),
  );
  return ids;
}

async function createTask(url: URL): Promise<number> {
  const answer = await ask(url, '/api/tasks', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'made to be deleted by make load' }),
  });
  return ((await answer.json()) as { readonly data: { readonly id: number } }).data.id;
}

async function readPage(url: URL, page: number): Promise<Page> {
  const answer = await ask(url, `/api/tasks?page=${page}&per_page=${perPage}`);
  return (await answer.json()) as Page;
}

async function ask(url: URL, path: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(new URL(path, url), init).catch((error: Error) => {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new Error(`nothing answers at ${url.origin} (${reason}): make run first, or set URL`);
  });
  if (!answer.ok) throw new Error(`${path} is answered ${answer.status}: ${await answer.text()}`);
  return answer;
}
