/** What a program does with tasks: create safely, list everything, change what nobody else has. */
import type { Task } from './api.ts';
import type { Answer, Client } from './client.ts';

const tries = 3;
const triesAtOnce = 10;

/** A create that takes effect once, whatever becomes of its answers. */
export async function createOnce(client: Client, title: string): Promise<Task> {
  const headers = { 'Idempotency-Key': crypto.randomUUID() };
  for (let attempt = 1; ; attempt++) {
    const answer = await client.call('createTask', { headers, body: { title } });
    switch (answer.status) {
      case 201:
        return answer.body.data;
      case 409:
      case 503:
        if (attempt === tries) throw new Error(answer.body.message);
        await sleep(Number(answer.headers.get('Retry-After')) * 1000);
        break;
      default:
        throw new Error(answer.body.errors.map(({ code }) => code).join(', '));
    }
  }
}

/** Every task, page by page; none twice, however many are created meanwhile. */
export async function* everyTask(client: Client, perPage = 100): AsyncGenerator<Task> {
  let cursor: string | null = '';
  while (cursor !== null) {
    const answer: Answer<'listTasks'> = await client.call('listTasks', {
      query: { cursor, per_page: perPage },
    });
    if (answer.status !== 200) throw new Error(`no list: ${answer.status}`);
    yield* answer.body.data;
    cursor = answer.body.meta.next_cursor ?? null;
  }
}

/** Reads, changes, and begins again where somebody else was faster: no change is lost. */
export async function retitle(
  client: Client,
  id: number,
  title: (before: string) => string,
): Promise<Task> {
  for (let attempt = 0; attempt < triesAtOnce; attempt++) {
    const read = await client.call('readTask', { path: { id } });
    if (read.status !== 200) throw new Error(`no task: ${read.status}`);
    const changed = await client.call('updateTask', {
      path: { id },
      headers: { 'If-Match': read.headers.get('ETag') ?? '' },
      body: { title: title(read.body.data.title) },
    });
    if (changed.status === 200) return changed.body.data;
    if (changed.status !== 412) throw new Error(`not changed: ${changed.status}`);
  }
  throw new Error('others are always faster');
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
