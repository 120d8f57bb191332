/**
 * The life of a forked front end: start, serve, drain, stop. It also stops when the primary is
 * gone, so that no orphan remains.
 */
import cluster from 'node:cluster';
import type { AdminPage } from '../admin/admin-page.ts';
import { messageOf } from '../base/error-message.ts';
import type { ToFrontEnd, ToPrimary } from '../ipc/messages.ts';
import { createAnswerer } from '../ipc/rpc.ts';
import { createLogger } from '../telemetry/log.ts';
import type { ProcessRecording, ProfileQuestion } from '../telemetry/pprof/recording.ts';
import { exitOnUncaught } from '../telemetry/uncaught.ts';
import { type FrontEnd, startFrontEnd } from './front-end.ts';
import { createPrimaryPages } from './primary-pages.ts';

/** EX_SOFTWARE of sysexits.h. */
const bugExitCode = 70;
/** The primary's id as a peer: there is only one. */
const primary = 0;

type StartMessage = Extract<ToFrontEnd, { type: 'start' }>;

export function becomeFrontEnd(): void {
  let frontEnd: FrontEnd | undefined;
  let opened = false;
  let draining = false;
  let stopping = false;
  const pages = createPrimaryPages((rpc) => tellPrimary({ type: 'page', rpc }));
  const profiles = createAnswerer<typeof primary, ProfileQuestion, ProcessRecording>({
    answer: record,
    send: (_, rpc) => tellPrimary({ type: 'profile', rpc }),
  });

  // A terminal sends Ctrl-C to every process of the group; only the primary decides to stop.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);

  process.on('message', (message: ToFrontEnd) => {
    switch (message.type) {
      case 'start':
        void begin(message);
        break;
      case 'open':
        opened = true;
        frontEnd?.open();
        break;
      case 'drain':
        draining = true;
        frontEnd?.drain();
        break;
      case 'page':
        pages.answered(message.rpc);
        break;
      case 'profile':
        profiles.heard(primary, message.rpc);
        break;
      case 'stop':
        void stop();
        break;
    }
  });
  // Otherwise node:cluster ends this process in the middle of a response when the primary is gone.
  cluster.worker!.exitedAfterDisconnect = true;
  process.on('disconnect', () => void stop());
  tellPrimary({ type: 'online' });

  async function begin(message: StartMessage): Promise<void> {
    frontEnd = await start(message, pages.visit);
    if (opened) frontEnd?.open();
    if (message.draining || draining) frontEnd?.drain();
  }

  /**
   * While there is no recorder (starting, or profiles are off) the primary counts it as missing.
   */
  async function record(question: ProfileQuestion, signal: AbortSignal): Promise<ProcessRecording> {
    const recorder = frontEnd?.profiles;
    if (recorder === undefined) throw new Error('profiles are off, or the front end is starting');
    return recorder.record(question, signal);
  }

  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    pages.close();
    profiles.close();
    try {
      // Before it listens, no connection was accepted, so there is nothing to drain. A socket
      // opened now would only accept connections to close them.
      await frontEnd?.stop();
      process.exit(0);
    } catch {
      process.exit(1);
    }
  }
}

async function start(
  { options, logLevel, secrets, opened }: StartMessage,
  visitPrimary: AdminPage,
): Promise<FrontEnd | undefined> {
  const log = createLogger({ level: logLevel, role: `frontend-${options.number}`, secrets });
  // The primary starts a new process.
  exitOnUncaught(log, 'a bug ended the front end', bugExitCode);
  try {
    const frontEnd = await startFrontEnd(options, opened, log, visitPrimary);
    tellPrimary({ type: 'listening', httpServer: frontEnd.httpServer });
    return frontEnd;
  } catch (error) {
    const reason = messageOf(error);
    // The primary retries with back-off when this process exits.
    tellPrimary({ type: 'failed', reason }, () => process.exit(1));
    return undefined;
  }
}

/**
 * After the primary's death, the front end still answers the requests that it accepted. Without a
 * callback, the failed send would be an `error` event of the process and end it.
 */
function tellPrimary(message: ToPrimary, sent: () => void = ignore): void {
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else setImmediate(sent);
}

function ignore(): void {}
