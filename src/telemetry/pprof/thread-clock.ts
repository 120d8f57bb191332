/** CPU time of the thread that asks. */
import { readFileSync } from 'node:fs';

/** Node 24 has it, Node 20 and 22 do not. Half a microsecond; reading the file takes seventeen. */
const ownUsage: (() => NodeJS.CpuUsage) | null = process.threadCpuUsage ?? null;

/** In nanoseconds; `null` where neither Node nor the system has a clock for a thread. */
export function threadCpuNs(usage = ownUsage): number | null {
  if (usage === null) return schedulerNs();
  const { user, system } = usage();
  return (user + system) * 1000;
}

/** All threads of this process, in nanoseconds. */
export function processCpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Linux: proc(5), the first number of /proc/thread-self/schedstat. */
function schedulerNs(): number | null {
  try {
    const spent = Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]);
    return Number.isFinite(spent) && spent > 0 ? spent : null;
  } catch {
    return null;
  }
}
