/**
 * Checks that a peer's responses equal those of this service: a peer that does less work is no
 * peer. Compares parsed bodies without generated ids and times.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RunningServer } from '../support/server.ts';

export interface Answer {
  readonly question: string;
  readonly status: number;
  readonly location: boolean;
  readonly body: unknown;
}

const ids = [1, 2, 4711, 500_000, 999_999];
const draft = {
  title: 'Prepare the “quarterly” report\n',
  description: 'Ask São Paulo first.',
  status: 'in_progress',
  assigneeID: 7,
};

export interface CheckOptions {
  readonly tasks: boolean;
  readonly list: boolean;
}

export async function askEverything(
  { url }: RunningServer,
  { tasks, list }: CheckOptions,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  if (tasks) {
    for (const id of ids) answers.push(await ask('GET', `/api/tasks/${id}`));
    answers.push(await ask('GET', '/api/tasks/999999999'));
    const made = await ask('POST', '/api/tasks', draft);
    const bare = await ask('POST', '/api/tasks', { title: 'Nothing else' });
    const path = `/api/tasks/${idOf(made)}`;
    const changed = await ask('PUT', path, { status: 'completed', title: 'Another title' });
    const removed = [await ask('DELETE', path), await ask('DELETE', path)];
    await ask('DELETE', `/api/tasks/${idOf(bare)}`);
    answers.push(...[made, bare, changed, ...removed].map(withoutWhatIsNew));
  }
  // Twice: the second response comes from the cache.
  if (list) {
    for (const page of [1, 2, 1]) {
      answers.push(await ask('GET', `/api/tasks?page=${page}&per_page=20`));
    }
  }
  return answers;

  async function ask(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return {
      question: `${method} ${path}`,
      status: response.status,
      location: response.headers.has('location'),
      body: response.status >= 400 || text === '' ? null : JSON.parse(text),
    };
  }
}

/** @returns the difference, or null. */
export function differenceBetween(
  theirs: readonly Answer[],
  wanted: readonly Answer[],
): string | null {
  for (const [place, want] of wanted.entries()) {
    const got = theirs[place];
    if (isDeepStrictEqual(got, want)) continue;
    return `${want.question}: ${JSON.stringify(got)} in place of ${JSON.stringify(want)}`;
  }
  return null;
}

function idOf(answer: Answer): unknown {
  return (answer.body as { data?: { id?: unknown } } | null)?.data?.id;
}

function withoutWhatIsNew(answer: Answer): Answer {
  const question = answer.question.replace(/\d+$/, ':id');
  if (answer.body === null) return { ...answer, question };
  const { data, ...envelope } = answer.body as { data: Record<string, unknown> };
  const kinds = ['id', 'createdAt', 'updatedAt'].map((name) => [name, kindOf(data[name])]);
  return {
    ...answer,
    question,
    body: { ...envelope, data: { ...data, ...Object.fromEntries(kinds) } },
  };
}

function kindOf(value: unknown): string {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)
    ? 'an instant'
    : typeof value;
}
