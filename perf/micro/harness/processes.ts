/**
 * A process for each round. V8's compilation varies between processes: one route took 9 ns in one
 * process and 15 ns in the next, each within 3 %. Rounds in one process would take that for a
 * difference of the code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * @param args of this program.
 * @returns whether all rounds passed; it stops after the first failed one. Rejects when the signal
 * aborts, after the current round has ended in order.
 */
export async function runInProcesses(
  args: readonly string[],
  count: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (let round = 1; round <= count; round++) {
    signal.throwIfAborted();
    const program = [...process.execArgv, process.argv[1]!, ...args, `-round=${round}`];
    // In a separate process group, so that Ctrl-C reaches it only once.
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
