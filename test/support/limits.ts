/** The open-file limit of a running process, and its CPU time. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Why limits cannot be changed; `false`: they can. */
export const prlimitIsMissing: string | false =
  spawnSync('prlimit', ['--version']).error === undefined
    ? false
    : 'prlimit is not installed (Debian package util-linux)';

/** @param soft the new soft limit; `hard`: the hard limit. Open files stay open. */
export function limitOpenFiles(pid: number, soft: number | 'hard'): void {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(
    readFileSync(`/proc/${pid}/limits`, 'utf8'),
  )?.[1];
  const wanted = soft === 'hard' ? hard : soft;
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${wanted}:`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

export function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** CPU time since its start, in clock ticks: proc(5), fields utime and stime. */
export function cpuTicksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
