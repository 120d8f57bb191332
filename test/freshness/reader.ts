/** Reads the groups of other clients, as lists in several forms and task by task. */
import { type FreshnessEvent, now } from './events.ts';
import type { HttpSession } from './session.ts';

export interface ReaderOptions {
  readonly session: HttpSession;
  /** The groups that are being written now. */
  readonly groups: () => readonly number[];
  readonly record: (event: FreshnessEvent) => void;
  readonly isOver: () => boolean;
}

interface ListedTask {
  readonly id: number;
  readonly title: string;
}

/** The same list in several forms: some share a cache entry, some have their own. */
const forms: readonly ((group: number) => string)[] = [
  (group) => `assignee_id=${group}`,
  (group) => `assignee_id=${group}&per_page=100`,
  (group) => `filter=assigneeID=${group}&sort=-id`,
  (group) => `filter=assigneeID:${group}&sort=title`,
  (group) => `filter=title:g${group}.&sort=-updatedAt`,
];
const readsPerList = 2;
const retryMs = 20;

export async function read({ session, groups, record, isOver }: ReaderOptions): Promise<void> {
  while (!isOver()) {
    const all = groups();
    const group = all[Math.floor(Math.random() * all.length)];
    if (group === undefined) {
      await pause();
      continue;
    }
    const tasks = await list(group);
    for (let time = 0; time < readsPerList && tasks !== undefined && tasks.length > 0; time++) {
      await readTask(group, tasks[Math.floor(Math.random() * tasks.length)]!);
    }
  }

  async function list(group: number): Promise<readonly ListedTask[] | undefined> {
    const query = forms[Math.floor(Math.random() * forms.length)]!(group);
    const start = now();
    const answer = await session.ask('GET', `/api/tasks?${query}`);
    const end = now();
    if (answer?.status !== 200) {
      await giveWay(answer?.status);
      return undefined;
    }
    const { data, meta } = JSON.parse(answer.text) as {
      data: ListedTask[];
      meta: { total: number };
    };
    const state = data
      .map(({ title }) => title)
      .sort()
      .join(' ');
    record({ type: 'list', group, start, end, state, total: meta.total, path: query });
    return data;
  }

  async function readTask(group: number, { id, title }: ListedTask): Promise<void> {
    const start = now();
    const answer = await session.ask('GET', `/api/tasks/${id}`);
    const end = now();
    const task = title.slice(0, title.lastIndexOf('.') + 1);
    if (answer?.status === 404) {
      record({ type: 'read', group, start, end, task, title: null });
    } else if (answer?.status === 200) {
      const { data } = JSON.parse(answer.text) as { data: ListedTask };
      record({ type: 'read', group, start, end, task, title: data.title });
    } else {
      await giveWay(answer?.status);
    }
  }
}

/** A killed front end or a full queue is no violation. Any status but 503 is. */
async function giveWay(status: number | undefined): Promise<void> {
  if (status !== undefined && status !== 503) throw new Error(`a read was answered ${status}`);
  await pause();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, retryMs));
}
