/**
 * The life of a forked front end: told to start, serves, told to drain, told to stop. It also
 * stops when the primary is gone, so that nothing is orphaned.
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
/** There is one primary. */
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

  // A terminal sends Ctrl-C to every process of the group: the primary decides about stopping.
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
  // Otherwise node:cluster ends us in the middle of an answer when the primary is gone.
  cluster.worker!.exitedAfterDisconnect = true;
  process.on('disconnect', () => void stop());
  tellPrimary({ type: 'online' });

  async function begin(message: StartMessage): Promise<void> {
    frontEnd = await start(message, pages.visit);
    if (opened) frontEnd?.open();
    if (message.draining || draining) frontEnd?.drain();
  }

  /** Its primary counts it as missing while there is no recorder: starting, or profiles are off. */
  async function record(question: ProfileQuestion, signal: AbortSignal): Promise<ProcessRecording> {
    const recorder = frontEnd?.profiles;
    if (recorder === undefined) throw new Error('nothing records here');
    return recorder.record(question, signal);
  }

  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    pages.close();
    profiles.close();
    try {
      // Before it listens nothing was accepted: there is nothing to wait for, and a socket that
      // opens now would take connections only to drop them.
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
  // The primary starts a fresh process.
  exitOnUncaught(log, 'a bug ended the front end', bugExitCode);
  try {
    const frontEnd = await startFrontEnd(options, opened, log, visitPrimary);
    tellPrimary({ type: 'listening', httpServer: frontEnd.httpServer });
    return frontEnd;
  } catch (error) {
    const reason = messageOf(error);
    // The primary tries again, with back-off, when it sees the exit.
    tellPrimary({ type: 'failed', reason }, () => process.exit(1));
    return undefined;
  }
}

/**
 * A primary that is gone hears nothing, and its front end has still to answer what it accepted:
 * without a callback the failure to send would be an `error` of the process, and end it.
 */
function tellPrimary(message: ToPrimary, sent: () => void = ignore): void {
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else setImmediate(sent);
}

function ignore(): void {}
