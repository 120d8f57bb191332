/**
 * One fault: a service with clients at work, what goes wrong and ends, the time until everything
 * works again, and the verdict about what was acknowledged.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createClient } from '../../src/database/client.ts';
import { createApi } from './api.ts';
import { type Counts, keepLedgers, settle, strangerTitle, sumOf } from './ledger.ts';
import { eventually, type Service, startService } from './service.ts';

export interface FaultOptions {
  /** As the service reaches it. */
  readonly database: DatabaseConfig;
  /** As the test reaches it in the end; default: the same. */
  readonly truth?: DatabaseConfig;
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when the fault is over. */
  readonly fault: (bench: FaultBench) => Promise<void>;
  readonly mayBreak?: boolean;
  /** The fault need not reach every client, or is so short that none may notice. */
  readonly mayPassUnnoticed?: boolean;
  readonly clients?: number;
  /** Instead of the 2 s, where the fault goes on. */
  readonly patienceMs?: number;
}

export interface FaultBench {
  readonly service: Service;
  /** Starts the service again, on the same port, when it was killed. */
  restart(): Promise<void>;
  /** For as long as a fault is to last, and until somebody has noticed it. */
  hold(): Promise<void>;
  /** For as long, and each time after such a pause. */
  repeat(pauseMs: number, act: () => unknown): Promise<void>;
  /** The status of /livez, /readyz, and of one request of each kind. */
  probe(): Promise<Probe>;
}

export interface Probe {
  readonly live: number;
  readonly ready: number;
  readonly read: number;
  readonly list: number;
  readonly change: number;
}

export interface FaultResult extends Counts {
  readonly log: Service['log'];
  readonly recoveryMs: number;
}

/** Of one test: before the fault, while it lasts, and after it, a third each. */
const seconds = Number(process.env['FAULT_SECONDS'] ?? 0.9) / 3;
/** No task has this id, so no request for it leaves anything behind. */
const nothing = '/api/tasks/9007199254740991';
const clientsDefault = 12;
const pauseMs = 4;
const promisedMs = 2000;
/** The promise is for a machine of its own; tests share theirs. */
const patience = 6;
const giveUpMs = 20_000;
/** A fault that lasts a moment may miss the few requests of a machine that does other work. */
const missesMs = 60_000;

export async function runFault(t: TestContext, options: FaultOptions): Promise<FaultResult> {
  const env = { REQUEST_TIMEOUT_MS: '1000', ...options.env };
  let service = await startService({ database: options.database, env });
  const { port } = service;
  let isOver = false;
  /** Nothing goes wrong yet, or not for everybody: nobody need notice it. */
  let isNoticed = true;
  const working = keepLedgers({
    port: () => port,
    clients: options.clients ?? clientsDefault,
    isOver: () => isOver,
    pauseMs,
    mayBreak: options.mayBreak === true,
    onTrouble: () => {
      isNoticed = true;
    },
  });
  // What goes wrong below is told first.
  working.catch(() => undefined);
  const bench: FaultBench = {
    service,
    async restart() {
      await service.stop('SIGKILL');
      service = await startService({
        database: options.database,
        env: { ...env, PORT: String(port) },
      });
    },
    async hold() {
      await sleep(seconds * 1000);
      // On a busy machine a client may come to ask only then.
      await eventually(() => isNoticed, 'nobody noticed the fault: this shows nothing', giveUpMs);
    },
    async repeat(pause, act) {
      const began = performance.now();
      const hasMissed = () => !isNoticed && performance.now() < began + missesMs;
      // Where cores are busy, so little is under way that a fault may meet nothing.
      while (performance.now() < began + seconds * 1000 || hasMissed()) {
        await act();
        await sleep(pause);
      }
    },
    probe: () => probe(port),
  };
  const tellLog = (): void => {
    t.diagnostic(`logged at last: ${JSON.stringify(service.log.slice(-20))}`);
    const bugs = service.log.filter((line) => JSON.stringify(line).includes('"internal"'));
    t.diagnostic(`failed for a bug: ${JSON.stringify(bugs.slice(0, 5))}`);
  };
  let recoveryMs: number;
  try {
    await bench.hold();
    isNoticed = options.mayPassUnnoticed === true;
    await options.fault(bench);
    isNoticed = true;
    recoveryMs = await measureRecovery(port, options.mayBreak === true);
    await bench.hold();
  } catch (error) {
    tellLog();
    throw error;
  } finally {
    isOver = true;
    await working.catch(tellLog);
  }
  const ledgers = await working;
  const code = await service.stop();
  const counts = sumOf(ledgers);
  t.diagnostic(
    `recovery ${Math.round(recoveryMs)} ms; ${counts.acknowledged} writes acknowledged, ` +
      `${counts.read} reads, ${counts.refused} refused, ${counts.unknown} unknown, ` +
      `${service.log.length} lines logged`,
  );
  const sql = createClient(options.truth ?? options.database, {
    max: 1,
    applicationName: 'faults',
    statementTimeoutMs: 30_000,
  });
  try {
    await settle(sql, ledgers);
  } finally {
    await sql.end({ timeout: 1 });
  }
  assert.equal(code, 0, JSON.stringify(service.log));
  const patienceMs = (options.patienceMs ?? promisedMs) * patience;
  assert.ok(recoveryMs < patienceMs, `recovery took ${Math.round(recoveryMs)} ms`);
  assert.ok(counts.acknowledged > 0 && counts.read > 0);
  if (options.mayPassUnnoticed !== true) {
    assert.ok(counts.refused + counts.unknown > 0, 'nobody noticed the fault: this shows nothing');
  }
  return { ...counts, log: service.log, recoveryMs };
}

/** Milliseconds until each kind of request has succeeded once. */
async function measureRecovery(port: number, mayBreak: boolean): Promise<number> {
  const began = performance.now();
  const api = createApi(port, 8);
  const succeeds = async (method: string, path: string, wanted: number, body?: unknown) => {
    while (performance.now() - began < giveUpMs) {
      const options = body === undefined ? {} : { body };
      const answer = await api.request(method, path, options).catch((error: unknown) => {
        if (!mayBreak || error instanceof assert.AssertionError) throw error;
        return undefined;
      });
      if (answer?.status === wanted) return;
      await sleep(5);
    }
    throw new Error(`${method} ${path} was never answered ${wanted} again`);
  };
  const times = await Promise.all(
    [
      succeeds('POST', '/api/tasks', 201, { title: strangerTitle }),
      succeeds('GET', nothing, 404),
      succeeds('GET', '/api/tasks?per_page=1', 200),
      succeeds('PUT', nothing, 404, { title: 'nobody' }),
      succeeds('DELETE', nothing, 404),
      succeeds('GET', '/readyz', 200),
    ].map(async (done) => {
      await done;
      return performance.now() - began;
    }),
  );
  api.close();
  return Math.max(...times);
}

/** One request of each kind, none of which leaves anything behind. */
export async function probe(port: number): Promise<Probe> {
  const api = createApi(port, 8);
  const [live, ready, read, list, change] = await Promise.all([
    api.get('/livez'),
    api.get('/readyz'),
    api.get(nothing),
    api.get('/api/tasks?per_page=1'),
    api.request('PUT', nothing, { body: { title: 'nobody' } }),
  ]);
  api.close();
  return {
    live: live.status,
    ready: ready.status,
    read: read.status,
    list: list.status,
    change: change.status,
  };
}
