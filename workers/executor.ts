/**
 * A batch of one kind from bytes to bytes: decode ▸ validate ▸ one statement ▸ encode. It does not
 * know which thread it is on: a front end calls it in place, a worker thread for its pool.
 */
import {
  decodeRequests,
  encodeResponses,
  type Frame,
  type RequestItem,
  type ResponseItem,
} from '../src/batching/frames.ts';
import type { Kind } from '../src/contract/endpoints.ts';
import type { ListQuery } from '../src/contract/list-query.ts';
import { failureAnswer, taskAnswerOrNotFound } from './answers.ts';
import { encodeListAnswer } from './encode-list.ts';
import { describeFailure } from './failures.ts';
import { createLanes, type ExecutorOptions, type Lanes } from './lanes.ts';
import { indexById } from './rows.ts';
import { createSearchPlans, leaveToPlanner } from './search-plans.ts';
import { listTasks, ping, readTasks, sampleTasks } from './statements.ts';
import { createWrites } from './writes.ts';

export interface Executor {
  /** Never rejects for a failed statement: failures are answers in the frame. */
  execute(kind: Kind, frame: Frame): Promise<Frame>;
  /** Rejects when the database does not answer a trivial statement. */
  ping(): Promise<void>;
  /** Connects and prepares every statement on every connection. Rejects when it cannot. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const lanes = createLanes(options);
  const writes = createWrites(lanes);
  const searchPlans = createSearchPlans((query) =>
    lanes.search.run((client) => sampleTasks(client, query, lanes.prepared)),
  );

  async function execute(kind: Kind, frame: Frame): Promise<Frame> {
    const began = performance.now();
    const answers = await executeItems(kind, decodeRequests(frame));
    return encodeResponses(answers, Math.round((performance.now() - began) * 1000));
  }

  function executeItems(kind: Kind, items: readonly RequestItem[]): Promise<ResponseItem[]> {
    switch (kind) {
      case 'read':
        return executeReads(lanes, items);
      case 'create':
      case 'change':
      case 'remove':
        return writes[kind](items);
      case 'list':
      case 'search':
        return executeLists(kind, items);
    }
  }

  function executeLists(
    kind: 'list' | 'search',
    items: readonly RequestItem[],
  ): Promise<ResponseItem[]> {
    return Promise.all(items.map((item) => executeList(kind, decodeListQuery(item.body))));
  }

  async function executeList(kind: 'list' | 'search', query: ListQuery): Promise<ResponseItem> {
    try {
      const page = await retryLostRead(async () => {
        const plan = kind === 'list' ? leaveToPlanner : await searchPlans.planFor(query);
        return lanes[kind].run((client) => listTasks(client, query, plan, lanes.prepared));
      });
      searchPlans.observe(page.tableTotal);
      return encodeListAnswer(query, page);
    } catch (error) {
      return failureAnswer(describeFailure(error, true));
    }
  }

  return {
    execute,
    ping: () => lanes.list.run(ping),
    warm: lanes.warm,
    close: lanes.close,
  };
}

async function executeReads(lanes: Lanes, items: readonly RequestItem[]): Promise<ResponseItem[]> {
  const ids = items.map((item) => item.id);
  try {
    const rows = indexById(
      await retryLostRead(() => lanes.read.run((client) => readTasks(client, ids))),
    );
    return ids.map((id) => taskAnswerOrNotFound(rows.get(id)));
  } catch (error) {
    const failure = describeFailure(error, true);
    return ids.map(() => failureAnswer(failure));
  }
}

async function retryLostRead<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!describeFailure(error, true).connectionLost) throw error;
    return read();
  }
}

/** The front end checked it when it made these bytes. */
function decodeListQuery(body: Uint8Array): ListQuery {
  return JSON.parse(Buffer.from(body).toString()) as ListQuery;
}
