/**
 * A headless Chromium controlled by the DevTools protocol over a pipe, without a package or port.
 * It reaches only the given origins; every other request fails and is recorded.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { eventually } from './service.ts';

type Parameters = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Parameters;
  readonly sessionId?: string;
  readonly result?: Parameters;
  readonly error?: { readonly message: string };
}

export interface Tab {
  /** The browser's errors, warnings and failed requests so far. */
  readonly complaints: readonly string[];
  /** Requests to another origin. */
  readonly strayed: readonly string[];
  open(url: string): Promise<void>;
  /** @returns the value of an expression; awaits a promise. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Waits until an expression is true. */
  until(expression: string, otherwise: string): Promise<void>;
}

export interface Browser {
  /** @param origins the only reachable ones. */
  openTab(...origins: readonly string[]): Promise<Tab>;
  close(): Promise<void>;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const waitMs = 60_000;

/** `undefined`: none in PATH. */
export function findChromium(): string | undefined {
  return names.find((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore', timeout: waitMs });
      return true;
    } catch {
      return false;
    }
  });
}

export function startBrowser(program: string): Browser {
  const folder = mkdtempSync(join(tmpdir(), 'chromium-'));
  const child = spawn(
    program,
    [
      '--headless=new',
      '--remote-debugging-pipe',
      `--user-data-dir=${folder}`,
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-default-apps',
      '--disable-extensions',
      '--disable-sync',
      '--no-first-run',
      '--no-proxy-server',
      // Only 127.0.0.1 resolves.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      // Chromium's sandbox does not run as root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const protocol = createProtocol(child);

  async function openTab(...origins: readonly string[]): Promise<Tab> {
    const { targetId } = await protocol.send('Target.createTarget', { url: 'about:blank' });
    const attached = await protocol.send('Target.attachToTarget', { targetId, flatten: true });
    const sessionId = attached['sessionId'] as string;
    const send = (method: string, params: Parameters = {}) =>
      protocol.send(method, params, sessionId);
    const complaints: string[] = [];
    const strayed: string[] = [];
    protocol.listen(sessionId, ({ method, params = {} }) => {
      const complaint = complaintOf(method, params);
      if (complaint !== undefined) complaints.push(complaint);
      if (method !== 'Fetch.requestPaused') return;
      const { requestId, request } = params as { requestId: string; request: { url: string } };
      if (origins.some((origin) => request.url.startsWith(`${origin}/`))) {
        void send('Fetch.continueRequest', { requestId });
      } else {
        strayed.push(request.url);
        void send('Fetch.failRequest', { requestId, errorReason: 'InternetDisconnected' });
      }
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
    await send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });

    const tab: Tab = {
      complaints,
      strayed,
      async open(url) {
        const { errorText } = await send('Page.navigate', { url });
        if (errorText !== undefined) throw new Error(`${url}: ${String(errorText)}`);
        await tab.until("document.readyState === 'complete'", `${url} does not load`);
      },
      async evaluate<Value>(expression: string) {
        const { result, exceptionDetails } = (await send('Runtime.evaluate', {
          expression,
          awaitPromise: true,
          returnByValue: true,
        })) as { result: { value: Value }; exceptionDetails?: unknown };
        if (exceptionDetails === undefined) return result.value;
        throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
      },
      until(expression, otherwise) {
        let failure = '';
        // During a navigation there is no body, or no context to evaluate in.
        const holds = () =>
          tab.evaluate<boolean>(`Boolean(${expression})`).catch((error: unknown) => {
            failure = String(error);
            return false;
          });
        return eventually(
          holds,
          () => `${otherwise}: ${[failure, ...complaints].join('\n')}`,
          waitMs,
        );
      },
    };
    return tab;
  }

  async function close(): Promise<void> {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      await protocol.send('Browser.close', {}).catch(() => undefined);
      await ended;
    }
    // Chromium's child processes may still be writing.
    await eventually(() => isRemoved(folder), `${folder} cannot be removed`);
  }

  return { openTab, close };
}

function isRemoved(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** @returns `undefined`: no complaint. */
function complaintOf(method: string | undefined, params: Parameters): string | undefined {
  switch (method) {
    case 'Runtime.exceptionThrown':
      return `thrown: ${JSON.stringify(params['exceptionDetails'])}`;
    case 'Runtime.consoleAPICalled': {
      const { type, args } = params as { type: string; args: unknown };
      return type === 'error' || type === 'warning' || type === 'assert'
        ? `console.${type}: ${JSON.stringify(args)}`
        : undefined;
    }
    case 'Log.entryAdded': {
      const { entry } = params as { entry: { level: string; text: string; url?: string } };
      return entry.level === 'error' || entry.level === 'warning'
        ? `${entry.level}: ${entry.text} ${entry.url ?? ''}`
        : undefined;
    }
    default:
      return undefined;
  }
}

/** JSON messages, each terminated by a zero byte, on the descriptors 3 and 4. */
function createProtocol(child: ChildProcess) {
  const output = child.stdio[3] as Writable;
  const input = child.stdio[4] as Readable;
  const waiting = new Map<number, { resolve(result: Parameters): void; reject(e: Error): void }>();
  const listeners = new Map<string, (message: Message) => void>();
  let lastId = 0;
  let rest = Buffer.alloc(0);

  input.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
      receive(JSON.parse(rest.toString('utf8', 0, end)));
      rest = rest.subarray(end + 1);
    }
  });
  output.on('error', () => undefined);
  child.once('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the browser has ended'));
  });

  function receive(message: Message): void {
    if (message.id === undefined) {
      if (message.sessionId !== undefined) listeners.get(message.sessionId)?.(message);
      return;
    }
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error !== undefined) waiter?.reject(new Error(message.error.message));
    else waiter?.resolve(message.result ?? {});
  }

  function send(method: string, params: Parameters, sessionId?: string): Promise<Parameters> {
    const id = ++lastId;
    output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  }

  return {
    send,
    listen: (sessionId: string, listener: (message: Message) => void) =>
      listeners.set(sessionId, listener),
  };
}
