/** Benchmarks of the two buffers of a batch. */
import {
  decodeRequests,
  decodeResponses,
  encodeRequests,
  encodeResponses,
} from '../../src/batching/frames.ts';
import { bodyOf, requestOf } from './bodies.ts';
import { type Benchmark, pureBenchmark } from './harness/benchmark.ts';
import { makeTasks } from './harness/database.ts';

const timing = { statementUs: 100, endedAt: 0 };

export function frameBenchmarks(): Benchmark[] {
  return [1, 32].flatMap((batch) => {
    const tasks = makeTasks(batch).map(bodyOf);
    const requests = tasks.map((body) => requestOf({ body }));
    const responses = tasks.map((body, place) => {
      return { id: place + 1, version: 1, status: 200, problem: 0, flags: 0, body };
    });
    const name = (what: string): string => `${what}/batch=${batch}`;
    return [
      pureBenchmark(name('EncodeRequests'), [requests], (items) => encodeRequests(items).length),
      pureBenchmark(
        name('DecodeRequests'),
        [encodeRequests(requests)],
        (frame) => decodeRequests(frame).at(-1)!.body.length,
      ),
      pureBenchmark(
        name('EncodeResponses'),
        [responses],
        (items) => encodeResponses(items, timing).length,
      ),
      pureBenchmark(
        name('DecodeResponses'),
        [encodeResponses(responses, timing)],
        (frame) => decodeResponses(frame).at(-1)!.body.length,
      ),
    ];
  });
}
