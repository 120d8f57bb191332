/** Creates groups one after the other and changes each, one write at a time. */
import { type FreshnessEvent, now } from './events.ts';

/** The path of writes: over HTTP or directly in SQL. */
export interface WriteBackend {
  /** @returns the id of the new task; `'unknown'`: it may exist; `'refused'`: it does not exist. */
  create(title: string, assignee: number): Promise<number | 'unknown' | 'refused'>;
  rename(id: number, title: string): Promise<'done' | 'unknown' | 'refused'>;
  remove(id: number): Promise<'done' | 'unknown' | 'refused'>;
}

export interface WriterOptions {
  readonly backend: WriteBackend;
  /** The first number for groups. */
  readonly firstGroup: number;
  readonly record: (event: FreshnessEvent) => void;
  /** Called with each new group. */
  readonly announce: (group: number) => void;
  readonly isOver: () => boolean;
  /** Milliseconds between two writes, so that some lists come from a cache. */
  readonly pauseMs: number;
}

interface OwnTask {
  readonly id: number;
  readonly number: number;
  title: string;
}

const tasksMax = 6;
const writesPerGroup = 150;
const refusedPauseMs = 20;

export async function write(options: WriterOptions): Promise<void> {
  for (let group = options.firstGroup; !options.isOver(); group++) {
    options.announce(group);
    await writeGroup(group, options);
  }
}

async function writeGroup(group: number, options: WriterOptions): Promise<void> {
  const { backend, record, isOver } = options;
  const tasks: OwnTask[] = [];
  let created = 0;
  for (let number = 1; number <= writesPerGroup && !isOver(); number++) {
    const victim = tasks[Math.floor(Math.random() * tasks.length)];
    const start = now();
    const outcome = await change(victim, number);
    if (outcome.result === 'refused') {
      await pause(refusedPauseMs);
      continue;
    }
    const end = outcome.result === 'unknown' ? null : now();
    record({ type: 'write', group, start, end, state: outcome.state });
    // The state of the group is unknown.
    if (end === null) return;
    await pause(options.pauseMs * Math.random() * 2);
  }

  async function change(victim: OwnTask | undefined, number: number) {
    const dice = Math.random();
    if (victim === undefined || (tasks.length < tasksMax && dice < 0.4)) {
      created++;
      const title = `g${group}.${created}.${number}`;
      const result = await backend.create(title, group);
      if (typeof result === 'number') tasks.push({ id: result, number: created, title });
      const state = stateOf(typeof result === 'number' ? tasks : [...tasks, { title }]);
      return { result, state };
    }
    if (dice < 0.6) {
      const left = tasks.filter((task) => task !== victim);
      const result = await backend.remove(victim.id);
      if (result === 'done') tasks.splice(tasks.indexOf(victim), 1);
      return { result, state: stateOf(left) };
    }
    const title = `g${group}.${victim.number}.${number}`;
    const result = await backend.rename(victim.id, title);
    const state = stateOf(tasks.map((task) => (task === victim ? { title } : task)));
    if (result === 'done') victim.title = title;
    return { result, state };
  }
}

function stateOf(tasks: readonly { readonly title: string }[]): string {
  return tasks
    .map(({ title }) => title)
    .sort()
    .join(' ');
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
