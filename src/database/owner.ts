/** The file that says which process uses a data directory, so that two never share it. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, startTimeOf } from './processes.ts';

export interface Owner {
  release(): void;
}

/** Long enough for another starter that saw the same stale file to have written its own name. */
const settleMs = 50;

/** @throws an Error that names the pid, when a living process has it. */
export async function takeOwnership(file: string): Promise<Owner> {
  const me = `${process.pid} ${startTimeOf(process.pid)}`;
  const before = read(file);
  if (before !== undefined && before !== me && isOwnerAlive(before)) refuse(before);
  // A rename is atomic: of two starters that both found a stale name, the last one has it.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, me);
  renameSync(draft, file);
  if (before !== undefined) await sleep(settleMs);
  const after = read(file);
  if (after !== me) refuse(after ?? '');
  return {
    release(): void {
      if (read(file) === me) rmSync(file, { force: true });
    },
  };
}

function read(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function isOwnerAlive(owner: string): boolean {
  const [pid, startTime] = owner.split(' ');
  return isAlive(Number(pid)) && startTimeOf(Number(pid)) === startTime;
}

function refuse(owner: string): never {
  throw new Error(
    `the embedded database is in use by process ${owner.split(' ')[0]}: stop that one, ` +
      'or set DATA_DIR to another folder, or DB_HOST to a PostgreSQL of your own',
  );
}
