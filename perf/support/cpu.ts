/** CPU time of groups of processes from /proc (proc(5)); null without /proc. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** CPU seconds since the start of each group; only differences are meaningful. */
export interface CpuSnapshot {
  readonly groups: Readonly<Record<string, number>>;
  /** Idle and stolen seconds of all cores. */
  readonly idle: number;
  readonly stolen: number;
  readonly total: number;
}

interface ProcessTimes {
  readonly parent: number;
  readonly ticks: number;
}

const available = existsSync('/proc/self/stat');
const ticksPerSecond = available ? readTicksPerSecond() : 100;

/** @param roots the root process of each group; its descendants belong to the group. */
export function readCpu(roots: Readonly<Record<string, number>>): CpuSnapshot | null {
  if (!available) return null;
  const processes = readProcesses();
  const seconds = (root: number): number => ticksBelow(root, processes) / ticksPerSecond;
  return {
    groups: Object.fromEntries(Object.entries(roots).map(([name, root]) => [name, seconds(root)])),
    ...readMachine(),
  };
}

export function cpuBetween(
  before: CpuSnapshot | null,
  after: CpuSnapshot | null,
): CpuSnapshot | null {
  if (before === null || after === null) return null;
  return {
    groups: Object.fromEntries(
      Object.entries(after.groups).map(([name, value]) => [name, value - before.groups[name]!]),
    ),
    idle: after.idle - before.idle,
    stolen: after.stolen - before.stolen,
    total: after.total - before.total,
  };
}

/** A parent's cutime and cstime include its ended children, so nothing is lost. */
function ticksBelow(root: number, processes: ReadonlyMap<number, ProcessTimes>): number {
  let ticks = 0;
  for (const [pid, times] of processes) {
    if (descends(pid, root, processes)) ticks += times.ticks;
  }
  return ticks;
}

function descends(
  pid: number,
  root: number,
  processes: ReadonlyMap<number, ProcessTimes>,
): boolean {
  let at: number | undefined = pid;
  while (at !== undefined && at > 0) {
    if (at === root) return true;
    at = processes.get(at)?.parent;
  }
  return false;
}

function readProcesses(): Map<number, ProcessTimes> {
  const processes = new Map<number, ProcessTimes>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = readStat(entry);
    if (fields === undefined) continue;
    // After the name: state, ppid, …; utime, stime, cutime, cstime are fields 14 to 17.
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    processes.set(Number(entry), { parent: Number(fields[1]), ticks });
  }
  return processes;
}

function readStat(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

function readMachine(): Omit<CpuSnapshot, 'groups'> {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!;
  const seconds = line
    .split(/\s+/)
    .slice(1, 9)
    .map((ticks) => Number(ticks) / ticksPerSecond);
  return {
    idle: seconds[3]! + seconds[4]!,
    stolen: seconds[7]!,
    total: seconds.reduce((sum, value) => sum + value, 0),
  };
}

function readTicksPerSecond(): number {
  const { stdout } = spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' });
  return Number(stdout) || 100;
}
