/**
 * One run of the checker: a service with two front ends, client processes, and a writer in SQL,
 * with faults for a given time; then the verdict.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { createApi } from '../support/api.ts';
import { createTestDatabase } from '../support/postgres.ts';
import type { RedisServer } from '../support/redis.ts';
import { type Service, startService } from '../support/service.ts';
import { overSql } from './backends.ts';
import { checkEvents, type Verdict } from './checker.ts';
import type { ClientTask, FromClient, ToClient } from './client.ts';
import type { FreshnessEvent } from './events.ts';
import { write } from './writer.ts';

export interface RunOptions {
  readonly seconds: number;
  readonly redis?: RedisServer;
  /** Causes faults; ends when `isOver` returns true. */
  readonly faults?: (bench: Bench) => Promise<void>;
  /** Further variables of the service. */
  readonly env?: Readonly<Record<string, string>>;
  /** Starts a proxy in front of the service, on its own port. */
  readonly front?: (port: number) => Promise<{ readonly port: number; stop(): Promise<void> }>;
}

export interface Bench {
  readonly service: Service;
  readonly isOver: () => boolean;
  /** Resolves early when the run is over. */
  pause(milliseconds: number): Promise<void>;
}

export interface RunResult extends Verdict {
  readonly log: Service['log'];
}

const clients = 3;
const writersPerClient = 3;
const readersPerClient = 8;
const stableTasks = 60;
const sqlWriterPauseMs = 10;
/** Far from the numbers of groups: assignees of tasks that nobody changes. */
const firstGroup = 1_000_000;
const groupsPerClient = 100_000;

export async function runFreshness(options: RunOptions): Promise<RunResult> {
  const { redis } = options;
  const database = await createTestDatabase('freshness');
  const service = await startService({
    database: database.config,
    env: {
      FRONTENDS: '2',
      ...(redis === undefined ? {} : { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }),
      ...options.env,
    },
  });
  const front = await options.front?.(service.port);
  const port = front?.port ?? service.port;
  const stable = await createStableTasks(service.port);
  const until = performance.now() + options.seconds * 1000;
  const isOver = (): boolean => performance.now() >= until;
  const events: FreshnessEvent[] = [];

  const current = new Map<number, number>();
  const children: ChildProcess[] = [];
  const announce = (writer: number, group: number): void => {
    current.set(writer, group);
    const groups = [...current.values()];
    for (const child of children) if (child.connected) tell(child, { type: 'groups', groups });
  };
  const finished: Promise<readonly FreshnessEvent[]>[] = [];
  for (let place = 0; place < clients; place++) {
    const child = fork(join(import.meta.dirname, 'client.js'), { serialization: 'advanced' });
    children.push(child);
    const task: ClientTask = {
      type: 'begin',
      port,
      firstGroup: firstGroup + place * groupsPerClient,
      writers: writersPerClient,
      readers: readersPerClient,
      stable,
    };
    finished.push(follow(child, task, announce));
  }
  const past = firstGroup + clients * groupsPerClient;
  const sqlWriter = write({
    backend: overSql(database.sql),
    firstGroup: past,
    record: (event) => events.push(event),
    announce: (group) => announce(past, group),
    isOver,
    pauseMs: sqlWriterPauseMs,
  });
  const bench: Bench = {
    service,
    isOver,
    pause: (milliseconds) =>
      new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, Math.min(milliseconds, until - performance.now()))),
      ),
  };
  try {
    await Promise.all([options.faults?.(bench), bench.pause(Number.POSITIVE_INFINITY)]);
    await sqlWriter;
    for (const child of children) tell(child, { type: 'end' });
    for (const part of await Promise.all(finished)) for (const event of part) events.push(event);
    await service.stop();
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await front?.stop();
    await database.drop();
  }
  return { ...checkEvents(events), log: service.log };
}

async function createStableTasks(port: number): Promise<number[]> {
  const api = createApi(port);
  const ids: number[] = [];
  for (let place = 0; place < stableTasks; place++) {
    // Sorted before, between and after the titles of groups.
    ids.push(await api.create({ title: `${'agz'[place % 3]}${place} stays`, assigneeID: place }));
  }
  api.close();
  return ids;
}

/** Resolves with the client's events. Rejects when the client ends before it returned them. */
function follow(
  child: ChildProcess,
  task: ClientTask,
  announce: (writer: number, group: number) => void,
): Promise<readonly FreshnessEvent[]> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromClient) => {
      switch (message.type) {
        case 'ready':
          tell(child, task);
          break;
        case 'group':
          announce(message.writer, message.group);
          break;
        case 'events':
          resolve(message.events);
          break;
      }
    });
    child.once('exit', (code) => reject(new Error(`a client ended with ${code}`)));
  });
}

function tell(child: ChildProcess, message: ToClient): void {
  child.send(message);
}
