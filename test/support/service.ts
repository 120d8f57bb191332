/** Runs the built service as a child process, on a free port, in a temporary working directory. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../src/config/config.ts';

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly message: string;
}

export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the service starts its embedded database. */
  readonly database?: DatabaseConfig;
  /** The folder of the embedded database and its log; default: a temporary one. */
  readonly folder?: string;
  /** The open-file limit of each of its processes; needs `prlimit`. */
  readonly openFilesMax?: number;
  /** The main file; default: the built one. */
  readonly main?: string;
  /** A command that runs the service; it gets the service's command line as its arguments. */
  readonly within?: readonly string[];
}

export interface Service {
  readonly port: number;
  readonly pid: number;
  /** All log lines so far. */
  readonly log: readonly LogLine[];
  /** All output of the service and its children so far. */
  output(): string;
  /** Resolves with the first matching line, past or future. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** The pids of its running front ends. */
  frontEnds(): number[];
  /** Sends a signal. @returns the exit code; `null`: a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Ends services of failed tests, so that they do not block the run. */
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

const main = resolve(import.meta.dirname, '../../src/main.js');
/** Timeouts of things that should be immediate, with room for a busy machine. */
const startTimeoutMs = 90_000;
const waitMs = 45_000;

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tasks-'));
}

/** Warnings and errors, except that of an old runtime, which concerns the machine. */
export function complaintsOf({ log }: { readonly log: readonly LogLine[] }): readonly LogLine[] {
  return log.filter(
    ({ level, message }) =>
      (level === 'warn' || level === 'error') && !message.includes('no security fixes'),
  );
}

/** Resolves when the service listens. Rejects with its log if it does not. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const child = launch(options);
  const listening = await Promise.race([
    child.logged((line) => line.message === 'listening', startTimeoutMs),
    child.ended.then(() => undefined),
  ]);
  if (listening === undefined) {
    throw new Error(`the service ended before it listened: ${JSON.stringify(child.log)}`);
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const family = [child.process.pid!, ...childrenOf(child.process.pid!)];
    child.process.kill(signal);
    const code = await child.ended;
    await eventually(() => family.every((pid) => !lives(pid)), 'a process was left behind');
    return code;
  }

  return {
    port: listening['port'] as number,
    pid: child.process.pid!,
    log: child.log,
    output: child.output,
    logged: (fits) => child.logged(fits, waitMs),
    frontEnds: () => childrenOf(child.process.pid!),
    stop,
  };
}

/** The log line with the port of the operators' pages. */
export function isAdminPortOpen({ message }: LogLine): boolean {
  return /^(metrics|profiles|metrics and profiles) are served$/.test(message);
}

export interface Exit {
  readonly code: number | null;
  readonly log: readonly LogLine[];
  readonly output: string;
}

/** For a start that must fail. */
export async function runToExit(options: ServiceOptions): Promise<Exit> {
  const child = launch(options);
  return { code: await child.ended, log: child.log, output: child.output() };
}

/** Waits for a condition instead of a time. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  otherwise: string | (() => string),
  milliseconds = waitMs,
): Promise<void> {
  const giveUp = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > giveUp)
      assert.fail(typeof otherwise === 'string' ? otherwise : otherwise());
    await sleep(10);
  }
}

export function lives(pid: number): boolean {
  const state = statusOf(pid);
  return state !== undefined && state !== 'Z';
}

interface Child {
  readonly process: ChildProcess;
  readonly log: LogLine[];
  output(): string;
  readonly ended: Promise<number | null>;
  logged(fits: (line: LogLine) => boolean, milliseconds: number): Promise<LogLine>;
}

function launch(options: ServiceOptions): Child {
  const folder = options.folder ?? makeFolder();
  const database = options.database;
  const { openFilesMax } = options;
  const command = [process.execPath, options.main ?? main];
  if (options.within !== undefined) command.unshift(...options.within);
  if (openFilesMax !== undefined) command.unshift('prlimit', `--nofile=${openFilesMax}`);
  const child = spawn(command[0]!, command.slice(1), {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PORT: '0',
      METRICS_PORT: '0',
      // Tests share their machine: a slow machine is not overload.
      QUEUE_WAIT_MAX_MS: '10000',
      ...(database === undefined
        ? { DATA_DIR: join(folder, 'data') }
        : {
            DB_HOST: database.host,
            DB_PORT: String(database.port),
            DB_USER: database.user,
            DB_PASSWORD: database.password,
            DB_NAME: database.name,
          }),
      ...options.env,
    },
  });
  running.add(child);
  const log: LogLine[] = [];
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.pipe(process.stderr, { end: false });
  createInterface({ input: child.stdout }).on('line', (line) => log.push(JSON.parse(line)));
  const ended = new Promise<number | null>((done) => {
    child.once('close', (code) => {
      running.delete(child);
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
      done(code);
    });
  });

  async function logged(fits: (line: LogLine) => boolean, milliseconds: number): Promise<LogLine> {
    const found = () => log.find(fits);
    await eventually(
      () => found() !== undefined || child.exitCode !== null,
      () => `not logged in ${milliseconds} ms: ${JSON.stringify(log)}`,
      milliseconds,
    );
    return found() ?? assert.fail(`it ended without logging that: ${JSON.stringify(log)}`);
  }

  const output = (): string => Buffer.concat(chunks).toString();
  return { process: child, log, output, ended, logged };
}

/** The running children. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid && lives(candidate));
}

function parentOf(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields === undefined ? undefined : Number(fields[1]);
}

function statusOf(pid: number): string | undefined {
  return statFields(pid)?.[0];
}

/** proc(5): the fields of /proc/pid/stat after the name, which may contain spaces. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
