/**
 * A process for each round. What V8 compiles, and when, is not the same in two processes that do
 * the same: one route was matched in 9 ns in one and in 15 ns in the next, each to 3 %. Rounds in
 * one process would take that for a difference of the code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * @param args of this program.
 * @returns whether all rounds passed; the first that does not is the last. Rejects when the signal
 * aborts, once the round under way has ended in order.
 */
export async function runInProcesses(
  args: readonly string[],
  count: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (let round = 1; round <= count; round++) {
    signal.throwIfAborted();
    const program = [...process.execArgv, process.argv[1]!, ...args, `-round=${round}`];
    // In a group of its own, so that Ctrl-C reaches it once only.
    const child = spawn(process.execPath, program, {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    const interrupt = (): void => void child.kill('SIGINT');
    signal.addEventListener('abort', interrupt);
    const [code] = (await once(child, 'close')) as [number | null];
    signal.removeEventListener('abort', interrupt);
    signal.throwIfAborted();
    if (code !== 0) return false;
  }
  return true;
}
