/** The list of all microbenchmarks. */
import { encodeBenchmarks } from './encode.ts';
import { frameBenchmarks } from './frames.ts';
import { type Benchmark, pureBenchmark } from './harness/benchmark.ts';
import type { TaskDatabase } from './harness/database.ts';
import { routingBenchmarks } from './routing.ts';
import { taskBenchmarks } from './tasks.ts';
import { validationBenchmarks } from './validation.ts';

/** @param open called when the first benchmark that needs the database is prepared. */
export function allBenchmarks(open: () => Promise<TaskDatabase>): Benchmark[] {
  return [
    ...taskBenchmarks(open),
    ...routingBenchmarks(),
    ...validationBenchmarks(),
    ...frameBenchmarks(),
    ...encodeBenchmarks(),
    // The cost of the benchmark loop itself.
    pureBenchmark('Nothing', [1, 2, 3], (number) => number),
  ];
}
