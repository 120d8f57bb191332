/**
 * Runs a batch of one kind: decode ▸ validate ▸ one statement ▸ encode. It works on any thread: a
 * front end calls it directly, a worker thread for its pool.
 */

import {
  createStatementClock,
  type StatementClock,
  type StatementTiming,
} from '../base/statement-time.ts';
import type { Answers, BatchExecutor } from '../batching/batch-executor.ts';
import type { RequestItem, ResponseItem } from '../batching/frames.ts';
import type { ListAnswer, ListItem } from '../batching/list-frames.ts';
import type { ListKind, TaskKind } from '../contract/endpoints.ts';
import type { ListQuery } from '../contract/list-query.ts';
import { failureReason } from '../database/failure-reason.ts';
import type { Lane } from '../database/lane.ts';
import { encodeListAnswer } from './encode-list.ts';
import { describeFailure } from './failures.ts';
import { failureAnswer, inOrderOf } from './item-answers.ts';
import { createLanes, type ExecutorOptions, type Lanes } from './lanes.ts';
import { createSearchPlans, leaveToPlanner } from './search-plans.ts';
import { listTasks, ping, readTasks, sampleTasks } from './statements.ts';
import { createWrites } from './writes.ts';

export interface Executor extends BatchExecutor {
  /** Never rejects: a statement that fails is an answer. */
  execute(
    kind: TaskKind,
    items: readonly RequestItem[],
    leftMs?: number,
  ): Promise<Answers<ResponseItem>>;
  /** Never rejects either. */
  readLists(kind: ListKind, items: readonly ListItem[]): Promise<Answers<ListAnswer>>;
  /** Rejects when the database does not answer a trivial statement. */
  ping(): Promise<void>;
  /** Explains a rejection of `ping` to an operator. */
  reasonOf(error: unknown): string;
  /** Connects for reads and lists. Rejects when it cannot. */
  warm(): Promise<void>;
  /** The lane of lists. With a small connection budget, the generation is read on it too. */
  readonly lane: Lane;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const lanes = createLanes(options);
  const writes = createWrites(lanes, options.statementTimeoutMs);
  const searchPlans = createSearchPlans((query, clock) =>
    lanes.search.run((pipeline) => sampleTasks(pipeline.timedBy(clock), query, lanes.prepared)),
  );

  async function execute(
    kind: TaskKind,
    items: readonly RequestItem[],
    leftMs = options.statementTimeoutMs,
  ): Promise<Answers<ResponseItem>> {
    const clock = createStatementClock();
    const answers =
      kind === 'read'
        ? await executeReads(lanes, items, clock)
        : await writes[kind](items, leftMs, clock);
    return { items: answers, timing: timingOf(clock) };
  }

  async function readLists(
    kind: ListKind,
    items: readonly ListItem[],
  ): Promise<Answers<ListAnswer>> {
    const clock = createStatementClock();
    const answers = await Promise.all(
      items.map(({ query }) => readList(kind, decodeListQuery(query), clock)),
    );
    return { items: answers, timing: timingOf(clock) };
  }

  async function readList(
    kind: ListKind,
    query: ListQuery,
    clock: StatementClock,
  ): Promise<ListAnswer> {
    try {
      const page = await retryRead(async () => {
        const plan = kind === 'list' ? leaveToPlanner : await searchPlans.planFor(query, clock);
        return lanes[kind].run((pipeline) =>
          listTasks(pipeline.timedBy(clock), query, plan, lanes.prepared),
        );
      });
      searchPlans.observe(page.tableTotal);
      return encodeListAnswer(query, page);
    } catch (error) {
      const { code, cause } = describeFailure(error, true);
      return { problem: code, cause };
    }
  }

  return {
    execute,
    readLists,
    ping: () => lanes.list.run(ping),
    reasonOf: (error) => failureReason(options.database, error),
    warm: lanes.warm,
    lane: lanes.list,
    close: lanes.close,
  };
}

function timingOf({ busyMs, endedAt }: StatementClock): StatementTiming {
  return {
    statementUs: Math.round(busyMs * 1000),
    endedAt: endedAt === 0 ? performance.now() : endedAt,
  };
}

async function executeReads(
  lanes: Lanes,
  items: readonly RequestItem[],
  clock: StatementClock,
): Promise<ResponseItem[]> {
  const ids = items.map((item) => item.id);
  try {
    const found = await retryRead(() =>
      lanes.read.run((pipeline) => readTasks(pipeline.timedBy(clock), ids)),
    );
    return inOrderOf(ids, found);
  } catch (error) {
    const failure = describeFailure(error, true);
    return ids.map(() => failureAnswer(failure));
  }
}

const readTriesMax = 3;

/** Retries once after a lost connection or a conflict (on a standby: with recovery). */
async function retryRead<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      const { course } = describeFailure(error, true);
      const isWorthIt =
        course === 'again' ? tries < readTriesMax : course === 'lost' && tries === 1;
      if (!isWorthIt) throw error;
    }
  }
}

/** The front end has validated these bytes. */
function decodeListQuery(body: Uint8Array): ListQuery {
  return JSON.parse(Buffer.from(body).toString()) as ListQuery;
}
