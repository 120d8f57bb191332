/** One start, load and stop of the service, and the violations found. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDatabase } from '../support/postgres.ts';
import { type LogLine, type Service, startService } from '../support/service.ts';
import { type Attempt, clock, type Habit, runClient } from './client.ts';

export interface RoundOptions {
  readonly number: number;
  readonly database: TestDatabase;
  readonly frontEnds: number;
  readonly delayMs: number;
  /** Kills one front end before the load, so that its replacement is starting at the signal. */
  readonly isOneStarting: boolean;
}

export interface RoundResult {
  readonly attempts: number;
  /** Requests answered after the signal. */
  readonly drained: number;
  /** Requests closed without a byte that the service had not read. */
  readonly unread: number;
  /** Of these, those on connections still in the kernel's accept queue. */
  readonly untaken: number;
  /** Milliseconds from the signal to the exit. */
  readonly stopMs: number;
  readonly violations: readonly string[];
}

const habits: Readonly<Record<Habit, number>> = { busy: 8, reader: 3, fresh: 4, slow: 4, idle: 5 };
/** Events further apart than this are not a race, even on a busy machine. */
const raceMs = 100;
const graceMs = 10_000;

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const service = await startService({
    database: options.database.config,
    env: {
      FRONTENDS: String(options.frontEnds),
      SHUTDOWN_DELAY_MS: String(options.delayMs),
      SHUTDOWN_GRACE_MS: String(graceMs),
      // On a busy machine, load shedding must not reject requests that should be answered.
      QUEUE_WAIT_MAX_MS: '60000',
      LOGGER_LEVEL: 'debug',
    },
  });
  if (options.isOneStarting) {
    process.kill(service.frontEnds()[0]!, 'SIGKILL');
    await service.logged(({ message }) => message === 'a front end died');
  }
  const attempts: Attempt[] = [];
  let stopping = false;
  const clients = Object.entries(habits).flatMap(([habit, count]) =>
    Array.from({ length: count }, (_, place) =>
      runClient({
        port: service.port,
        habit: habit as Habit,
        name: `drain ${options.number} ${habit} ${place}`,
        isStopping: () => stopping,
        onAttempt: (attempt) => attempts.push(attempt),
      }),
    ),
  );
  const allOver = Promise.all(clients);
  await Promise.race([sleep(100 + Math.random() * 500), allOver]);
  stopping = true;
  const signalAt = clock();
  const code = await service.stop();
  const stopMs = clock() - signalAt;
  await allOver;

  const rows = await options.database.sql<{ title: string }[]>`SELECT title FROM tasks`;
  await options.database.sql`TRUNCATE tasks`;
  const created = new Map<string, number>();
  for (const { title } of rows) created.set(title, (created.get(title) ?? 0) + 1);
  const faults = judge(attempts, created, service);
  const isUnread = ({ status, bytes }: Attempt) => status === 0 && bytes === 0;
  return {
    attempts: attempts.length,
    drained: attempts.filter(({ status, endedAt }) => status !== 0 && endedAt > signalAt).length,
    unread: attempts.filter(isUnread).length,
    untaken: attempts.filter((attempt) => isUnread(attempt) && !attempt.isConnectionUsed).length,
    stopMs,
    violations: [
      ...faults,
      ...(code === 0 ? [] : [`the exit code is ${code}`]),
      ...(stopMs <= options.delayMs + graceMs ? [] : [`stopping took ${stopMs} ms`]),
    ].map((fault) => `drain ${options.number}: ${fault}`),
  };
}

function judge(
  attempts: readonly Attempt[],
  created: Map<string, number>,
  { log }: Service,
): string[] {
  const faults: string[] = [];
  // The time of the first front end: any of them must accept what came well before it.
  const refusesFrom = firstTime(log, 'takes no new connections');
  const closesFrom = firstTime(log, 'closed the connections that were left');
  for (const attempt of attempts) {
    const what = JSON.stringify({ ...attempt, refusesFrom, closesFrom });
    const times = attempt.title === undefined ? 0 : (created.get(attempt.title) ?? 0);
    if (attempt.title !== undefined) created.delete(attempt.title);
    if (times > 1) faults.push(`created ${times} times: ${what}`);
    if (attempt.status !== 0) {
      const expected = attempt.title === undefined ? 200 : 201;
      if (attempt.status !== expected) faults.push(`answered otherwise: ${what}`);
      if (attempt.title !== undefined && times === 0) faults.push(`created nothing: ${what}`);
      if (attempt.writtenAt > refusesFrom + raceMs && !attempt.announcedClose)
        faults.push(`the answer does not say that the connection ends: ${what}`);
    } else if (attempt.bytes > 0) {
      faults.push(`the answer was cut off: ${what}`);
    } else if (times > 0) {
      faults.push(`carried out and not answered: ${what}`);
    } else {
      const isTaken = attempt.isConnectionUsed || attempt.connectedAt < refusesFrom - raceMs;
      if (isTaken && attempt.writtenAt < closesFrom - raceMs)
        faults.push(`written in time and not answered: ${what}`);
    }
  }
  for (const title of created.keys()) faults.push(`nobody asked for ${title}`);
  return faults;
}

function firstTime(log: readonly LogLine[], message: string): number {
  const times = log
    .filter((line) => line.message === message)
    .map((line) => Date.parse(line['time'] as string));
  if (times.length === 0) throw new Error(`not logged: ${message}`);
  return Math.min(...times);
}
