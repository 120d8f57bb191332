/** The end of a front end's connections. What it means to be accepted: ARCHITECTURE, "Stopping". */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionRoom } from '../http/connection-room.ts';
import type { Traffic } from '../http/exchange.ts';
import type { Listener } from '../http/listener.ts';
import type { Logger } from '../telemetry/log.ts';

export interface DrainOptions {
  readonly traffic: Readonly<Traffic>;
  readonly room: ConnectionRoom;
  readonly listener: Listener;
  readonly graceMs: number;
  /** Answers those that still wait when the grace time is over. */
  readonly failWaiting: () => void;
  readonly log: Logger;
}

const drainPollMs = 5;
const shortTurnMs = 0.1;
const acceptTurnsMax = 200;
/**
 * When no request has arrived on any connection for this long, the idle connections are closed. It
 * is longer than a packet travels, and short enough for an operator who waits after Ctrl-C.
 */
const quietMs = 250;

/** Stops accepting connections, and answers every request whose head was read. */
export async function drainConnections({
  traffic,
  room,
  listener,
  graceMs,
  failWaiting,
  log,
}: DrainOptions): Promise<void> {
  const giveUp = performance.now() + graceMs;
  await emptyAcceptQueue();
  room.close();
  listener.stopListening();
  log.info('takes no new connections');
  if (!(await fallQuiet(traffic, giveUp))) {
    log.warn('the grace time is over', { unanswered: traffic.open });
    failWaiting();
  }
}

/** @returns true if all requests were answered and no more arrived before `giveUp`. */
async function fallQuiet(traffic: Readonly<Traffic>, giveUp: number): Promise<boolean> {
  let quietSince = performance.now();
  let opened = traffic.opened;
  while (traffic.open > 0 || performance.now() - quietSince < quietMs) {
    if (performance.now() > giveUp) return traffic.open === 0;
    await sleep(drainPollMs);
    // Reads first: a request that the kernel holds already is not silence.
    await socketsRead();
    if (traffic.open > 0 || traffic.opened !== opened) quietSince = performance.now();
    opened = traffic.opened;
  }
  return true;
}

/**
 * Connections in the kernel's accept queue die with the listening socket. Each turn of the event
 * loop accepts them, so right after a short turn hardly any are left.
 */
async function emptyAcceptQueue(): Promise<void> {
  for (let turn = 0; turn < acceptTurnsMax; turn++) {
    const began = performance.now();
    await socketsRead();
    if (turn > 0 && performance.now() - began < shortTurnMs) return;
  }
}

/** Resolves after the event loop has read all sockets and accepted all connections that were ready. */
function socketsRead(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
