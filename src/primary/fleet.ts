/** The front-end processes: forks them, replaces dead ones with back-off, stops them together. */
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
  /** Secrets that front ends must not log. */
  readonly secrets: readonly string[];
  /** How long a front end may take to stop before it is killed. */
  readonly graceMs: number;
  readonly log: Logger;
  readonly frontEnd: Omit<FrontEndOptions, 'number' | 'metricsFile'>;
  /** The folder for the metric files of the front ends; `null`: metrics are off. */
  readonly metricFolder: string | null;
  /** Makes the pages that clients of the front ends request. */
  readonly page: AdminPage;
}

export interface Fleet {
  /** Resolves when every front end listens. Rejects when one cannot at its first start. */
  listening(): Promise<void>;
  /** The schema is up to date: all front ends, also later ones, may use the database. */
  open(): void;
  /** All front ends, also later ones, fail their readiness probe and continue to serve. */
  drain(): void;
  /** Records a profile in every front end and its threads. */
  readonly ask: AskFrontEnds;
  /** How often the front end with this number was replaced after its death. */
  restarts(number: number): number;
  /** The front ends' native server with its version; empty until one listens. */
  httpServer(): string;
  /** Resolves when all front ends have ended. Rejects when one had to be killed. */
  stop(): Promise<void>;
  /** Kills all front ends. */
  kill(): void;
}

const backOffMinMs = 100;
const backOffMaxMs = 5000;
/** With no front end listening, connections are refused, so the back-off is shorter. */
const backOffAloneMaxMs = 1000;
/** A front end that served for this long is restarted without back-off. */
const provenAfterMs = 10_000;
/** Added to the front ends' own timeout, so that they end by themselves first. */
const killMarginMs = 2000;

/** uWebSockets.js reads it when it loads. Its default is 4 KiB. */
const nativeSettings = { UWS_HTTP_MAX_HEADERS_SIZE: String(headMaxBytes) };

export function createFleet(options: FleetOptions): Fleet {
  const { log } = options;
  const running = new Map<number, Worker>();
  /** Workers that listen to messages. */
  const online = new Set<number>();
  /** Workers that listen to clients. */
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

  /** Resolves when it listens. Rejects when it fails before that. */
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
        // Ignores late messages of a worker that has been replaced.
        if (running.get(number) !== worker) return;
        switch (reply.type) {
          case 'online':
            // Earlier messages were lost: send the current state.
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
        // A message to a dying worker failed; its exit will be handled.
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

      /** The system lacks processes, memory or descriptors, and there will be no exit event. */
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

  /** A dying worker has closed its channel already. */
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
   * Back-off applies to a front end that dies while others serve, or before it listens. If it was
   * the last one listening, it is replaced at once: until then every connection is refused.
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
    // A failed first start is reported by `listening`.
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
