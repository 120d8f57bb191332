/** CPU time of the thread that asks. */
import { readFileSync } from 'node:fs';

/**
 * In nanoseconds. Linux: proc(5), the first number of /proc/thread-self/schedstat; elsewhere `null`,
 * since Node 20 has no clock for a single thread.
 */
export function threadCpuNs(): number | null {
  try {
    const spent = Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]);
    return Number.isFinite(spent) && spent > 0 ? spent : null;
  } catch {
    return null;
  }
}

/** All threads of this process, in nanoseconds. */
export function processCpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}
