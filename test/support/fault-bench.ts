/**
 * A fault test: a service with clients, a fault and its end, the time to recovery, and the verdict
 * about acknowledged writes.
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
  /** The service's connection. */
  readonly database: DatabaseConfig;
  /** The test's own connection at the end; default: the same. */
  readonly truth?: DatabaseConfig;
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when the fault is over. */
  readonly fault: (bench: FaultBench) => Promise<void>;
  readonly mayBreak?: boolean;
  /** The fault may miss some clients, or be so short that none notices. */
  readonly mayPassUnnoticed?: boolean;
  readonly clients?: number;
  /** Replaces the limit of 2 s, where the fault goes on. */
  readonly patienceMs?: number;
}

export interface FaultBench {
  readonly service: Service;
  /** Restarts the service on the same port after a kill. */
  restart(): Promise<void>;
  /** Waits for the duration of a fault, and until a client has noticed it. */
  hold(): Promise<void>;
  /** Repeats `act` with such pauses for the duration of a fault. */
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

/** Duration of a test: a third each before, during and after the fault. */
const seconds = Number(process.env['FAULT_SECONDS'] ?? 0.9) / 3;
/** No task has this id, so a request for it has no effect. */
const nothing = '/api/tasks/9007199254740991';
const clientsDefault = 12;
const pauseMs = 4;
const promisedMs = 2000;
/** The limit is for a dedicated machine; tests share theirs. */
const patience = 6;
const giveUpMs = 20_000;
/** A momentary fault may miss the few requests of a busy machine. */
const missesMs = 60_000;

export async function runFault(t: TestContext, options: FaultOptions): Promise<FaultResult> {
  const env = { REQUEST_TIMEOUT_MS: '1000', ...options.env };
  let service = await startService({ database: options.database, env });
  const { port } = service;
  let isOver = false;
  /** The fault has not begun, or does not affect every client: no client needs to notice it. */
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
  // The later failures are reported first.
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
      // On a busy machine a client may send its next request only then.
      await eventually(() => isNoticed, 'nobody noticed the fault: this shows nothing', giveUpMs);
    },
    async repeat(pause, act) {
      const began = performance.now();
      const hasMissed = () => !isNoticed && performance.now() < began + missesMs;
      // On a busy machine few requests are in flight, so a fault may hit none.
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

/** Milliseconds until a request of each kind has succeeded. */
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

/** Sends one request of each kind; none has an effect. */
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
