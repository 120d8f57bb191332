/**
 * Keeps connections of clients from taking the descriptors that the service itself needs: for its
 * database, Redis, worker threads and metrics. uWebSockets.js counts no connections, and at the
 * limit its loop spins in `accept`. So some descriptors are held in reserve. When the rest is used
 * up, the front end stops listening and gives the reserve to itself; when as many are free again,
 * it takes them back and listens.
 *
 *   listens, reserve held ──no descriptor left──▸ full, reserve free ──enough are free──▸ listens
 */
import { holdFiles, openFilesMax, releaseFiles } from '../telemetry/open-files.ts';

export interface ConnectionRoomOptions {
  readonly workerThreads: number;
  readonly listener: {
    stopListening(): void;
    /** @returns `false`: the port cannot be had now. */
    listenAgain(): boolean;
  };
  readonly log: {
    info(message: string): void;
    warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  };
}

export interface ConnectionRoom {
  /** Called ten times a second. @param now milliseconds of the monotonic clock. */
  look(now: number): void;
  isFull(): boolean;
  /** How often it became full. */
  pauses(): number;
  /** Listens no more. */
  close(): void;
}

/** Redis, the log, files that are read now and then. */
const heldPerProcess = 32;
/** A thread's event loop and its seven connections to the database. */
const heldPerThread = 16;
/** A worker thread opens this many files at once when it starts, to load its modules. Measured: 177. */
const threadStartFiles = 192;
/** Under a low limit no more than this share of it is kept from clients. */
const keptShareMax = 1 / 4;
/** So many connections at least can come when it listens again: it must not stop at the first one. */
const roomMin = 16;
/** Where the system does not tell its limit: what it is on many. */
const openFilesDefault = 1024;
/** Looks from one reading of the limit to the next: it can be changed while the process runs. */
const looksPerReading = 10;
const retryMs = 500;
/** Room that does not last is not told of: at the limit it comes and goes. */
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
    // The system gives the lowest number that is free: so many are open at least.
    const [lowest] = holdFiles(1) ?? [];
    if (lowest !== undefined) releaseFiles([lowest]);
    if (lowest === undefined || lowest >= max - reserve().toSpare) fill(now);
  }

  /** What is kept from clients: held against a burst of connections, and spared for a moment's need. */
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
