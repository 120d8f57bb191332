/**
 * A client process with writers, readers and a walker. It receives its task, announces each new
 * group, receives the groups of other clients, and finally returns its events.
 */
import { overHttp } from './backends.ts';
import type { FreshnessEvent } from './events.ts';
import { read } from './reader.ts';
import { openSession } from './session.ts';
import { walk } from './walker.ts';
import { write } from './writer.ts';

export interface ClientTask {
  readonly type: 'begin';
  readonly port: number;
  readonly firstGroup: number;
  readonly writers: number;
  readonly readers: number;
  readonly stable: readonly number[];
}

export type ToClient =
  | ClientTask
  | { readonly type: 'groups'; readonly groups: readonly number[] }
  | { readonly type: 'end' };

export type FromClient =
  | { readonly type: 'ready' }
  | { readonly type: 'group'; readonly writer: number; readonly group: number }
  | { readonly type: 'events'; readonly events: readonly FreshnessEvent[] };

/** The group numbers reserved for one writer. */
const groupsPerWriter = 10_000;
const writerPauseMs = 4;

const events: FreshnessEvent[] = [];
let groups: readonly number[] = [];
let over = false;

process.on('message', (message: ToClient) => {
  switch (message.type) {
    case 'begin':
      void work(message);
      break;
    case 'groups':
      groups = message.groups;
      break;
    case 'end':
      over = true;
      break;
  }
});
tell({ type: 'ready' });

async function work(task: ClientTask): Promise<void> {
  const isOver = (): boolean => over;
  const record = (event: FreshnessEvent): void => void events.push(event);
  const jobs: Promise<void>[] = [];
  for (let place = 0; place < task.writers; place++) {
    const firstGroup = task.firstGroup + place * groupsPerWriter;
    jobs.push(
      write({
        backend: overHttp(openSession(task.port)),
        firstGroup,
        record,
        announce: (group) => tell({ type: 'group', writer: firstGroup, group }),
        isOver,
        pauseMs: writerPauseMs,
      }),
    );
  }
  for (let place = 0; place < task.readers; place++) {
    const session = openSession(task.port);
    jobs.push(read({ session, groups: () => groups, record, isOver }));
  }
  const stable = new Set(task.stable);
  jobs.push(walk({ session: openSession(task.port), stable, record, isOver }));
  await Promise.all(jobs);
  process.send!({ type: 'events', events } satisfies FromClient, undefined, undefined, () => {
    process.exit(0);
  });
}

function tell(message: FromClient): void {
  process.send!(message);
}
