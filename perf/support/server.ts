/**
 * A server under test as a child process: this service or a peer. Both print a line when they
 * listen.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { adopt, stopChild } from './children.ts';
import { serverEnvironment } from './options.ts';

export interface RunningServer {
  readonly pid: number;
  /** With the loopback address, whatever host name the server printed. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly name: string;
  readonly program: string;
  /** The program's runtime; default: Node. `null`: the program runs itself. */
  readonly runtime?: string | null;
  readonly arguments?: readonly string[];
  /** The working directory, which has no .env file. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

const startMaxMs = 30_000;

/** Rejects with the server's last output if it does not listen. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { runtime = process.execPath } = options;
  const words = [...(runtime === null ? [] : [runtime]), options.program];
  const child = spawn(words[0]!, [...words.slice(1), ...(options.arguments ?? [])], {
    cwd: options.directory,
    env: serverEnvironment({ PORT: String(await freePort()), ...options.environment }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  adopt(child);
  let lastWords = '';
  let stopped = false;
  child.stderr.on('data', (chunk: Buffer) => hear(String(chunk)));

  const url = await new Promise<string>((resolve, reject) => {
    const giveUp = setTimeout(() => fail('did not listen in time'), startMaxMs);
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) => fail(`ended with ${code ?? signal}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      hear(`${line}\n`);
      const url = listeningUrl(line);
      if (url !== undefined) {
        clearTimeout(giveUp);
        resolve(`http://127.0.0.1:${new URL(url).port}`);
      }
    });

    function fail(reason: string): void {
      clearTimeout(giveUp);
      child.kill('SIGKILL');
      reject(new Error(`${options.name} ${reason}:\n${lastWords}`));
    }
  });
  child.once('close', (code, signal) => {
    if (!stopped && signal !== 'SIGTERM' && code !== 0)
      process.stderr.write(`${options.name} ended with ${code ?? signal}:\n${lastWords}`);
  });

  return {
    pid: child.pid!,
    url,
    stop() {
      stopped = true;
      return stopChild(child);
    },
  };

  function hear(text: string): void {
    lastWords = (lastWords + text).slice(-4000);
  }
}

/** Free now; if another process takes it before the server does, the server reports it. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

function listeningUrl(line: string): string | undefined {
  try {
    const entry = JSON.parse(line) as { message?: unknown; url?: unknown };
    return entry.message === 'listening' ? String(entry.url) : undefined;
  } catch {
    return undefined;
  }
}
