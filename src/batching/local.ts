/** The executor on the front end's own thread, for batches too small to pay for a hop. */

import { createExecutor, type Executor } from '../../workers/executor.ts';
import type { ExecutorOptions } from '../../workers/lanes.ts';

export type LocalExecutor = Executor;

export function createLocalExecutor(options: ExecutorOptions): LocalExecutor {
  return createExecutor(options);
}
