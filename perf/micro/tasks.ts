/**
 * Benchmarks of a request behind its socket: decode ▸ validate ▸ one statement on a real PostgreSQL
 * ▸ serialise, with the service's executor on this thread. Sequential calls, each with one request
 * or a batch.
 */
import type { RequestItem, ResponseItem } from '../../src/batching/frames.ts';
import type { ListAnswer } from '../../src/batching/list-frames.ts';
import type { TaskKind } from '../../src/contract/endpoints.ts';
import { parseListKey } from '../../src/contract/list-key.ts';
import type { Executor } from '../../src/tasks/executor.ts';
import { createRandom } from '../seed/random.ts';
import { pickWord } from '../seed/words.ts';
import { bodyOf, requestOf } from './bodies.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { makeTasks, seededTasks, type TaskDatabase } from './harness/database.ts';

/** Gives the bytes of its answers; another answer than the expected one ends the benchmark. */
type Call = (executor: Executor) => Promise<number>;

interface Case {
  readonly name: string;
  readonly batch: number;
  /** So many calls; fewer are taken in turn. */
  readonly calls: (database: TaskDatabase, calls: number) => Promise<readonly Call[]>;
}

interface PointCase {
  readonly name: string;
  readonly kind: TaskKind;
  readonly batch: number;
  /** Of each answer. */
  readonly status: number;
  readonly requests: (database: TaskDatabase, calls: number) => Promise<RequestItem[][]>;
}

/** @param open returns the same database each time; called only if a benchmark needs it. */
export function taskBenchmarks(open: () => Promise<TaskDatabase>): Benchmark[] {
  return [...[1, 32].flatMap(pointCases).map(toCase), ...listCases()].map((measured) =>
    toBenchmark(measured, open),
  );
}

/** The most prepared calls, if a run may reuse them. */
const readyCalls = 512;

function pointCases(batch: number): PointCase[] {
  const name = (what: string): string => (batch === 1 ? what : `${what}/batch=${batch}`);
  return [
    {
      name: name('CreateTask'),
      kind: 'create',
      batch,
      status: 201,
      async requests(_database, calls) {
        const tasks = makeTasks(Math.min(calls, readyCalls) * batch);
        return inBatches(
          tasks.map((task) => requestOf({ body: bodyOf(task) })),
          batch,
        );
      },
    },
    {
      name: name('GetTask'),
      kind: 'read',
      batch,
      status: 200,
      async requests() {
        const random = createRandom(batch);
        const ids = Array.from({ length: readyCalls * batch }, () =>
          random.integer(1, seededTasks),
        );
        return inBatches(
          ids.map((id) => requestOf({ id })),
          batch,
        );
      },
    },
    {
      // Changes separate tasks, so that the seeded ones stay the same.
      name: name('UpdateTask'),
      kind: 'change',
      batch,
      status: 200,
      async requests(database, calls) {
        const tasks = makeTasks(Math.min(calls, readyCalls / 2) * batch);
        const ids = await database.add(tasks);
        // Alternates, so that each call changes something.
        const others = [...tasks.slice(1), tasks[0]!];
        return inBatches(
          [...others, ...tasks].map((task, place) =>
            requestOf({ id: ids[place % ids.length]!, body: bodyOf(task) }),
          ),
          batch,
        );
      },
    },
    {
      // A task can be removed only once.
      name: name('DeleteTask'),
      kind: 'remove',
      batch,
      status: 204,
      async requests(database, calls) {
        const ids = await database.add(makeTasks(calls * batch));
        return inBatches(
          ids.map((id) => requestOf({ id })),
          batch,
        );
      },
    },
  ];
}

function toCase({ name, kind, batch, status, requests }: PointCase): Case {
  return {
    name,
    batch,
    async calls(database, calls) {
      const batches = await requests(database, calls);
      return batches.map((items) => async (executor) => {
        const answers = await executor.execute(kind, items);
        let bytes = 0;
        for (const answer of answers.items) bytes += sizeOf(answer, status);
        return bytes;
      });
    },
  };
}

function listCases(): Case[] {
  const random = createRandom(1);
  const words = Array.from({ length: 64 }, () => `filter=title:${pickWord(random)}`);
  const pages = Array.from({ length: 320 }, (_, page) => `page=${page + 1}`);
  return [
    listCase('ListTasks', ['']),
    listCase('ListTasks/batch=32', pages, 32),
    listCase('ListTasks/per_page=100', ['per_page=100']),
    listCase('ListTasks/status=pending', ['status=pending']),
    listCase('ListTasks/sort=-updatedAt', ['sort=-updatedAt']),
    listCase('ListTasks/filter=word', words),
  ];
}

/** The cache is in front of the executor, so each of these lists is read. */
function listCase(name: string, queries: readonly string[], batch = 1): Case {
  const keys = queries.map((query) => {
    const result = parseListKey(query);
    if (!result.ok) throw new Error(`${query} is no query`);
    return result.key;
  });
  const { kind } = keys[0]!;
  const batches = inBatches(
    keys.map(({ bytes }) => ({ query: bytes })),
    batch,
  );
  const calls = batches.map(
    (items): Call =>
      async (executor) => {
        const answers = await executor.readLists(kind, items);
        let bytes = 0;
        for (const answer of answers.items) bytes += listSizeOf(answer);
        return bytes;
      },
  );
  return { name, batch, calls: async () => calls };
}

function toBenchmark(
  { name, batch, calls: makeCalls }: Case,
  open: () => Promise<TaskDatabase>,
): Benchmark {
  return {
    name,
    requests: batch,
    async prepare(operations) {
      const database = await open();
      await database.reset();
      const calls = await makeCalls(database, operations);
      return async function runCalls() {
        let bytes = 0;
        for (let done = 0; done < operations; done++) {
          bytes += await calls[done % calls.length]!(database.executor);
        }
        return bytes;
      };
    },
  };
}

function sizeOf({ status, body }: ResponseItem, expected: number): number {
  if (status === expected) return body.length;
  throw new Error(`answered ${status}, not ${expected}: ${Buffer.from(body)}`);
}

function listSizeOf(answer: ListAnswer): number {
  if (answer.problem === null) return answer.body.length;
  throw new Error(`answered ${answer.problem}: ${answer.cause}`);
}

function inBatches<Item>(items: readonly Item[], batch: number): Item[][] {
  const batches: Item[][] = [];
  for (let at = 0; at < items.length; at += batch) batches.push(items.slice(at, at + batch));
  return batches;
}
