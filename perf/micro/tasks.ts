/**
 * Benchmarks of a request behind its socket: decode ▸ validate ▸ one statement on a real PostgreSQL
 * ▸ serialise, with the service's executor on this thread. Sequential calls, each with one request
 * or a batch.
 */
import type { RequestItem, ResponseItem } from '../../src/batching/frames.ts';
import type { Kind } from '../../src/contract/endpoints.ts';
import { parseListKey } from '../../src/contract/list-key.ts';
import { createRandom } from '../seed/random.ts';
import { pickWord } from '../seed/words.ts';
import { bodyOf, requestOf } from './bodies.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { makeTasks, seededTasks, type TaskDatabase } from './harness/database.ts';

/** Builds the requests of that many calls; if it builds fewer, they are reused in turn. */
type Requests = (database: TaskDatabase, calls: number) => Promise<RequestItem[][]>;

interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly batch: number;
  /** The expected status; any other ends the benchmark. */
  readonly status: number;
  readonly requests: Requests;
}

/** @param open returns the same database each time; called only if a benchmark needs it. */
export function taskBenchmarks(open: () => Promise<TaskDatabase>): Benchmark[] {
  return [...[1, 32].flatMap(pointCases), ...listCases()].map((measured) =>
    toBenchmark(measured, open),
  );
}

/** The most prepared calls, if a run may reuse them. */
const readyCalls = 512;

function pointCases(batch: number): Case[] {
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
  const requests = inBatches(
    keys.map(({ bytes }) => requestOf({ body: bytes })),
    batch,
  );
  return { name, kind: keys[0]!.kind, batch, status: 200, requests: async () => requests };
}

function toBenchmark(
  { name, kind, batch, status, requests }: Case,
  open: () => Promise<TaskDatabase>,
): Benchmark {
  return {
    name,
    requests: batch,
    async prepare(operations) {
      const database = await open();
      await database.reset();
      const calls = await requests(database, operations);
      return async function runCalls() {
        let bytes = 0;
        for (let done = 0; done < operations; done++) {
          const { items } = await database.executor.execute(kind, calls[done % calls.length]!);
          for (const answer of items) bytes += sizeOf(answer, status);
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

function inBatches(items: readonly RequestItem[], batch: number): RequestItem[][] {
  const batches: RequestItem[][] = [];
  for (let at = 0; at < items.length; at += batch) batches.push(items.slice(at, at + batch));
  return batches;
}
