/** The front-end processes: forked, replaced with back-off when they die, stopped together. */
import cluster, { type Worker } from 'node:cluster';
import type { AdminAnswer, AdminPage } from '../admin/admin-page.ts';
import { headMaxBytes } from '../contract/limits.ts';
import { callAll } from '../ipc/call-all.ts';
import type { FrontEndOptions } from '../ipc/front-end-options.ts';
import type { PageQuestion, ToFrontEnd, ToPrimary } from '../ipc/messages.ts';
import { createAnswerer, createCaller } from '../ipc/rpc.ts';
import type { Logger, LogLevel } from '../telemetry/log.ts';
import { metricFile } from '../telemetry/metrics/store.ts';
import type { AskFrontEnds } from '../telemetry/pprof/collect.ts';
import {
  type ProcessRecording,
  type ProfileQuestion,
  processCancelMaxMs,
} from '../telemetry/pprof/recording.ts';

export interface FleetOptions {
  readonly size: number;
  readonly logLevel: LogLevel;
  /** What no front end may log. */
  readonly secrets: readonly string[];
  /** How long a front end may take to stop before it is killed. */
  readonly graceMs: number;
  readonly log: Logger;
  readonly frontEnd: Omit<FrontEndOptions, 'number' | 'metricsFile'>;
  /** Where each front end counts in a file of its own; `null`: they do not count. */
  readonly metricFolder: string | null;
  /** Makes the pages that clients of the front ends ask for. */
  readonly page: AdminPage;
}

export interface Fleet {
  /** Resolves once every front end listens; rejects when one cannot at first. */
  listening(): Promise<void>;
  /** The schema is up to date: every front end, also one that starts later, may use the database. */
  open(): void;
  /** Every front end, also one that starts later, says that it is not ready, and serves. */
  drain(): void;
  /** What every front end, and each of its threads, records for a profile. */
  readonly ask: AskFrontEnds;
  /** How often the front end of this number was replaced because it died. */
  restarts(number: number): number;
  /** The native server of the front ends, with its version; empty before one listens. */
  httpServer(): string;
  /** Resolves when every front end is gone. Rejects when one had to be killed. */
  stop(): Promise<void>;
  /** Ends every front end at once. */
  kill(): void;
}

const backOffMinMs = 100;
const backOffMaxMs = 5000;
/** While nobody listens connections are refused: what cannot start is tried again sooner. */
const backOffAloneMaxMs = 1000;
/** A front end that served this long has earned a quick restart. */
const provenAfterMs = 10_000;
/** Beyond the front ends' own grace: they give up by themselves first. */
const killMarginMs = 2000;

/** uWebSockets.js reads it when it is loaded. Its own default is 4 KiB. */
const nativeSettings = { UWS_HTTP_MAX_HEADERS_SIZE: String(headMaxBytes) };

export function createFleet(options: FleetOptions): Fleet {
  const { log } = options;
  const running = new Map<number, Worker>();
  /** Those that listen to messages. */
  const online = new Set<number>();
  /** Those that listen to clients. */
  const listening = new Set<number>();
  const timers = new Set<NodeJS.Timeout>();
  const numbers = Array.from({ length: options.size }, (_, place) => place + 1);
  const profiles = createCaller<number, ProfileQuestion, ProcessRecording>({
    send: (number, rpc) => tellNumber(number, { type: 'profile', rpc }),
  });
  const pages = createAnswerer<number, PageQuestion, AdminAnswer>({
    answer: ({ path, query, accept }, signal) =>
      options.page({ path, query: new URLSearchParams(query), accept }, signal),
    send: (number, rpc) => tellNumber(number, { type: 'page', rpc }),
  });
  const restarts = new Map<number, number>();
  let httpServer = '';
  let opened = false;
  let draining = false;
  let stopping = false;

  cluster.setupPrimary({ serialization: 'advanced' });
  const started = Promise.all(numbers.map((number) => fork(number, backOffMinMs))).then(
    () => undefined,
  );

  /** Resolves when it listens; rejects when it fails before that. */
  function fork(number: number, backOffMs: number): Promise<void> {
    const forkedAt = performance.now();

    return new Promise((resolve, reject) => {
      let worker: Worker;
      try {
        worker = cluster.fork(nativeSettings);
      } catch (error) {
        return goOnWithout(error);
      }
      running.set(number, worker);
      worker.on('message', (reply: ToPrimary) => {
        // What one that is gone has left in the channel is not its successor's.
        if (running.get(number) !== worker) return;
        switch (reply.type) {
          case 'online':
            // What was sent before this is lost: it learns now what it has to be.
            online.add(number);
            tell(worker, stopping ? { type: 'stop' } : startMessage(number));
            break;
          case 'listening':
            listening.add(number);
            httpServer = reply.httpServer;
            resolve();
            break;
          case 'profile':
            profiles.answered(number, reply.rpc);
            break;
          case 'page':
            pages.heard(number, reply.rpc);
            break;
          case 'failed':
            reject(new Error(reply.reason));
            break;
        }
      });
      worker.on('error', (error) => {
        // A message to a front end that is just dying: its exit says the same.
        if (worker.process.pid !== undefined) return;
        running.delete(number);
        goOnWithout(error);
      });
      worker.on('exit', (code, signal) => {
        const listened = listening.delete(number);
        running.delete(number);
        online.delete(number);
        profiles.lost(number);
        pages.lost(number);
        if (stopping) return resolve();
        restarts.set(number, (restarts.get(number) ?? 0) + 1);
        log.error('a front end died', { number, pid: worker.process.pid, code, signal });
        if (!listened) reject(new Error(`front end ${number} died before it listened`));
        const proven = performance.now() - forkedAt >= provenAfterMs;
        replaceLater(number, proven ? backOffMinMs : backOffMs, listened);
      });

      /** The system has no process, memory or descriptor for it now, and there is no exit. */
      function goOnWithout(error: unknown): void {
        if (stopping) return resolve();
        reject(error);
        replaceLater(number, backOffMs, false);
      }
    });
  }

  function startMessage(number: number): ToFrontEnd {
    const { metricFolder } = options;
    const metricsFile = metricFolder === null ? null : metricFile(metricFolder, number);
    const frontEnd = { ...options.frontEnd, number, metricsFile };
    const { logLevel, secrets } = options;
    return { type: 'start', options: frontEnd, logLevel, secrets, opened, draining };
  }

  /** One that is dying has closed its channel already. */
  function tell(worker: Worker, message: ToFrontEnd): void {
    if (worker.isConnected()) worker.send(message);
  }

  function tellNumber(number: number, message: ToFrontEnd): boolean {
    const worker = running.get(number);
    if (!online.has(number) || worker?.isConnected() !== true) return false;
    worker.send(message);
    return true;
  }

  /**
   * Back-off is for what dies beside others that serve, or before it listens. One that has listened
   * is replaced at once when it was the last: until then every connection is refused.
   */
  function replaceLater(number: number, backOffMs: number, listened: boolean): void {
    const isAlone = listening.size === 0;
    const waitMs = isAlone
      ? Math.min(backOffMs, listened ? backOffMinMs : backOffAloneMaxMs)
      : backOffMs;
    const nextMs = isAlone && listened ? backOffMs : Math.min(backOffMs * 2, backOffMaxMs);
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (stopping) return;
      fork(number, nextMs).then(
        () => {
          // A stop resolves it too.
          if (!stopping) log.info('a front end was replaced', { number, waitMs });
        },
        (error: Error) =>
          log.error('a front end could not start', { number, reason: error.message }),
      );
    }, waitMs);
    timers.add(timer);
  }

  function open(): void {
    opened = true;
    for (const worker of running.values()) tell(worker, { type: 'open' });
  }

  function drain(): void {
    draining = true;
    for (const worker of running.values()) tell(worker, { type: 'drain' });
  }

  async function stop(): Promise<void> {
    draining = true;
    stopping = true;
    for (const timer of timers) clearTimeout(timer);
    // A start that failed has been reported where it was awaited.
    started.catch(() => undefined);
    let killed = 0;
    await Promise.all(
      [...running.values()].map(async (worker) => {
        const gone = new Promise((resolve) => worker.once('exit', resolve));
        const timer = setTimeout(() => {
          killed++;
          worker.process.kill('SIGKILL');
        }, options.graceMs + killMarginMs);
        tell(worker, { type: 'stop' });
        await gone;
        clearTimeout(timer);
      }),
    );
    if (killed > 0) throw new Error(`${killed} front ends did not stop in time and were killed`);
  }

  function kill(): void {
    for (const worker of running.values()) worker.process.kill('SIGKILL');
  }

  return {
    listening: () => started,
    open,
    drain,
    ask: (question, signal, timeoutMs) =>
      callAll(profiles, numbers, question, { signal, timeoutMs, cancelMaxMs: processCancelMaxMs }),
    restarts: (number) => restarts.get(number) ?? 0,
    httpServer: () => httpServer,
    stop,
    kill,
  };
}
