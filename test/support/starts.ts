/** Starts the service or a command and watches it until it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { after } from 'node:test';
import { eventually } from './service.ts';

export const main = resolve(import.meta.dirname, '../../src/main.js');
export const cli = resolve(import.meta.dirname, '../../src/database/cli.js');
export const endTimeoutMs = 30_000;

export interface Started {
  readonly process: ChildProcess;
  lines(): readonly { readonly level: string; readonly message: string }[];
  /** Resolves with the exit code or the signal. Rejects if only SIGKILL would end it. */
  ended(): Promise<number | NodeJS.Signals>;
}

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

export function start(
  program: readonly string[],
  cwd: string,
  env: Record<string, string>,
  command = process.execPath,
): Started {
  const child = spawn(command, program, {
    cwd,
    env: { ...process.env, PORT: '0', METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const closed = once(child, 'close').then(() => running.delete(child));
  return {
    process: child,
    lines: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    async ended() {
      await eventually(
        () => child.exitCode !== null || child.signalCode !== null,
        () => `it does not end: ${text}`,
        endTimeoutMs,
      );
      await closed;
      return child.exitCode ?? child.signalCode!;
    },
  };
}
