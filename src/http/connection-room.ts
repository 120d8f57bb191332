/**
 * Reserves file descriptors for the service itself: database, Redis, worker threads and metrics.
 * uWebSockets.js does not count connections, and at the descriptor limit its event loop spins in
 * `accept`. The front end holds some descriptors in reserve. When no other is free, it stops
 * listening and releases the reserve for its own use. When enough are free again, it takes the
 * reserve back and listens.
 *
 *   listens, reserve held ──no free descriptor──▸ full, reserve released ──enough free──▸ listens
 */
import { holdFiles, openFilesMax, releaseFiles } from '../telemetry/open-files.ts';

export interface ConnectionRoomOptions {
  readonly workerThreads: number;
  readonly listener: {
    stopListening(): void;
    /** @returns `false`: the port is not available now. */
    listenAgain(): boolean;
  };
  readonly log: {
    info(message: string): void;
    warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  };
}

export interface ConnectionRoom {
  /** Called ten times a second. @param now milliseconds of `performance.now()`. */
  look(now: number): void;
  isFull(): boolean;
  /** How often it became full. */
  pauses(): number;
  /** Ends the checks and releases the reserve. */
  close(): void;
}

/** Redis, the log, and files that are read now and then. */
const heldPerProcess = 32;
/** A thread's event loop and its seven database connections. */
const heldPerThread = 16;
/** Files that a worker thread opens at once during its start, for its modules. Measured: 177. */
const threadStartFiles = 192;
/** With a low limit, the largest share that is reserved. */
const keptShareMax = 1 / 4;
/** Free descriptors needed to listen again, so that it does not become full at once. */
const roomMin = 16;
/** The common limit, for systems that do not report it. */
const openFilesDefault = 1024;
/** Checks between two readings of the limit, which can change while the process runs. */
const looksPerReading = 10;
const retryMs = 500;
/** How long the new state must last before the log reports it: at the limit it flaps. */
const settledMs = 10_000;

export function createConnectionRoom(options: ConnectionRoomOptions): ConnectionRoom {
  const { listener, log } = options;
  const wanted = heldPerProcess + heldPerThread * (options.workerThreads + 1);
  let max = openFilesMax() ?? openFilesDefault;
  let looks = 0;
  let held = holdFiles(reserve().toHold) ?? [];
  let isFull = false;
  let isTold = false;
  let closed = false;
  let changedAt = 0;
  let pauses = 0;

  function look(now: number): void {
    if (closed) return;
    if (isFull) {
      if (now - changedAt >= retryMs) tryAgain(now);
      return;
    }
    if (isTold && now - changedAt >= settledMs) {
      isTold = false;
      log.info('there is room for new connections again');
    }
    if (++looks % looksPerReading === 0) max = openFilesMax() ?? max;
    // The kernel assigns the lowest free number, so at least that many are open.
    const [lowest] = holdFiles(1) ?? [];
    if (lowest !== undefined) releaseFiles([lowest]);
    if (lowest === undefined || lowest >= max - reserve().toSpare) fill(now);
  }

  /** The reserve: held against bursts of connections, plus some for short-lived use. */
  function reserve(): { readonly toHold: number; readonly toSpare: number } {
    const share = Math.min(1, (max * keptShareMax) / (wanted + threadStartFiles));
    return { toHold: Math.ceil(wanted * share), toSpare: Math.ceil(threadStartFiles * share) };
  }

  function fill(now: number): void {
    listener.stopListening();
    releaseFiles(held);
    held = [];
    isFull = true;
    changedAt = now;
    pauses++;
    max = openFilesMax() ?? max;
    if (isTold) return;
    isTold = true;
    log.warn('no new connections are taken: the process may not open more files', {
      limit: 'RLIMIT_NOFILE',
      value: max,
      try: 'raise it (ulimit -n, LimitNOFILE of systemd, --ulimit of docker), or run more front ends',
    });
  }

  function tryAgain(now: number): void {
    changedAt = now;
    max = openFilesMax() ?? max;
    const { toHold, toSpare } = reserve();
    const free = holdFiles(toHold + toSpare + roomMin);
    if (free === undefined) return;
    held = free.splice(0, toHold);
    releaseFiles(free);
    if (listener.listenAgain()) {
      isFull = false;
    } else {
      releaseFiles(held);
      held = [];
    }
  }

  return {
    look,
    isFull: () => isFull,
    pauses: () => pauses,
    close() {
      closed = true;
      releaseFiles(held);
      held = [];
    },
  };
}
