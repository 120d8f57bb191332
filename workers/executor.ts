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
  wantsProblemFlag,
} from '../src/batching/frames.ts';
import type { Kind } from '../src/contract/endpoints.ts';
import type { ListQuery } from '../src/contract/list-query.ts';
import { type Fault, problemCodes, problems } from '../src/contract/problems.ts';
import { createBodyDecoder, type Decoded, type TaskChange } from './decode.ts';
import { encodeFaults, encodeTaskAnswer } from './encode.ts';
import { encodeListAnswer } from './encode-list.ts';
import { describeFailure, type Failure } from './failures.ts';
import { createLanes, type ExecutorOptions, type Lanes } from './lanes.ts';
import { createSearchPlans, leaveToPlanner } from './search-plans.ts';
import {
  changeTasks,
  createTasks,
  listTasks,
  ping,
  readTasks,
  removeTasks,
  sampleTasks,
  type TaskRow,
} from './statements.ts';

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
  const decoder = createBodyDecoder();
  const searchPlans = createSearchPlans((query) =>
    lanes.search.run((client) => sampleTasks(client, query, lanes.prepared)),
  );

  async function execute(kind: Kind, frame: Frame): Promise<Frame> {
    return encodeResponses(await executeItems(kind, decodeRequests(frame)));
  }

  function executeItems(kind: Kind, items: readonly RequestItem[]): Promise<ResponseItem[]> {
    switch (kind) {
      case 'read':
        return executeReads(lanes, items);
      case 'create':
        return executeWrites(items, decoder.create, async (drafts) => {
          const rows = await lanes.create.run((client) => createTasks(client, drafts));
          return rows.map((row) => taskAnswer(201, row));
        });
      case 'change':
        return executeWrites(items, decodeChange, async (changes) => {
          const rows = indexById(await lanes.change.run((client) => changeTasks(client, changes)));
          return changes.map(({ id }) => taskAnswerOrNotFound(rows.get(id)));
        });
      case 'remove':
        return executeWrites(items, decodeRemoval, async (ids) => {
          const removed = new Set(await lanes.remove.run((client) => removeTasks(client, ids)));
          return ids.map((id) => (removed.has(id) ? noContent : notFound));
        });
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

  function decodeChange(
    body: Uint8Array,
    id: number,
  ): Decoded<TaskChange & { readonly id: number }> {
    const decoded = decoder.change(body);
    return decoded.ok ? { ok: true, value: { ...decoded.value, id } } : decoded;
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

/**
 * What does not decode is answered with its faults; the rest is written by one statement. Where
 * that fails because of a row, the rows run one by one, so that only the guilty one fails.
 */
async function executeWrites<Value>(
  items: readonly RequestItem[],
  decode: (body: Uint8Array, id: number) => Decoded<Value>,
  write: (values: readonly Value[]) => Promise<ResponseItem[]>,
): Promise<ResponseItem[]> {
  const answers = new Array<ResponseItem>(items.length);
  const places: number[] = [];
  const values: Value[] = [];
  for (let place = 0; place < items.length; place++) {
    const item = items[place]!;
    const decoded = decode(item.body, item.id);
    if (decoded.ok) {
      places.push(place);
      values.push(decoded.value);
    } else {
      answers[place] = faultsAnswer(decoded.faults, item.flags);
    }
  }
  if (values.length > 0) {
    const written = await writeRows(values, write);
    for (let index = 0; index < places.length; index++) answers[places[index]!] = written[index]!;
  }
  return answers;
}

async function writeRows<Value>(
  values: readonly Value[],
  write: (values: readonly Value[]) => Promise<ResponseItem[]>,
): Promise<ResponseItem[]> {
  try {
    return await write(values);
  } catch (error) {
    const failure = describeFailure(error, false);
    if (!failure.perRow || values.length === 1) return values.map(() => failureAnswer(failure));
  }
  const answers: ResponseItem[] = [];
  for (const value of values) answers.push(...(await writeRows([value], write)));
  return answers;
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

function indexById(rows: readonly TaskRow[]): ReadonlyMap<number, TaskRow> {
  const byId = new Map<number, TaskRow>();
  for (const row of rows) byId.set(Number(row.id), row);
  return byId;
}

const nobody = new Uint8Array(0);
const noContent: ResponseItem = { id: 0, version: 0, status: 204, problem: 0, body: nobody };
const notFound: ResponseItem = {
  id: 0,
  version: 0,
  status: problems.not_found.status,
  problem: problemCodes.indexOf('not_found') + 1,
  body: nobody,
};

function decodeRemoval(_body: Uint8Array, id: number): Decoded<number> {
  return { ok: true, value: id };
}

function taskAnswer(status: number, row: TaskRow): ResponseItem {
  const body = encodeTaskAnswer(row);
  return { id: Number(row.id), version: Number(row.version), status, problem: 0, body };
}

function taskAnswerOrNotFound(row: TaskRow | undefined): ResponseItem {
  return row === undefined ? notFound : taskAnswer(200, row);
}

function faultsAnswer(faults: readonly [Fault, ...Fault[]], flags: number): ResponseItem {
  const format = (flags & wantsProblemFlag) === 0 ? 'envelope' : 'problem';
  const { status } = problems[faults[0].code];
  return { id: 0, version: 0, status, problem: 0, body: encodeFaults(faults, format) };
}

/** The body is the cause, for the front end's log: a client never sees it. */
function failureAnswer(failure: Failure): ResponseItem {
  return {
    id: 0,
    version: 0,
    status: problems[failure.code].status,
    problem: problemCodes.indexOf(failure.code) + 1,
    body: Buffer.from(failure.cause),
  };
}
