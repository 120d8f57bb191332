/** A turn of one server, from its start to its end: awake, measured, in an open loop, stopped. */

import { measureServer } from '../load/closed-loop/run.ts';
import { runOpenLoop } from '../load/open-loop/run.ts';
import type { Doomed } from '../load/scenarios.ts';
import { measureWithWrk, type RequestFiles } from '../load/wrk/run.ts';
import type { PerfDatabase } from '../support/database.ts';
import { type Memory, readMemory } from '../support/memory.ts';
import type { Sample } from '../support/sample.ts';
import type { RunningServer } from '../support/server.ts';
import type { Operation } from './operations.ts';
import type { ClosedSample, OpenSample } from './samples.ts';
import type { ServerSubject } from './subjects.ts';

export interface TurnOptions {
  readonly subject: ServerSubject;
  readonly operation: Operation;
  readonly round: number;
  readonly seconds: number;
  readonly wakeSeconds: number;
  readonly database: PerfDatabase;
  readonly redisPid: number | undefined;
  /** Undefined: wrk is not installed, so this project's load generator is used. */
  readonly files: RequestFiles | undefined;
  /** Requests per second of the open loop; for the first server half of its peak. */
  openRate(peak: number): number;
}

export interface TurnSamples {
  readonly closed: readonly ClosedSample[];
  readonly open: OpenSample;
}

/** Enough that requests wait for the server, not for a connection. */
const openConnections = 512;
const openNapUs = 100;
const wakeConnections = 64;
/** More than the server can delete in a second; the rest is trimmed. */
const deletesMaxPerSecond = { ours: 80_000, others: 30_000 } as const;

export async function takeTurn(options: TurnOptions): Promise<TurnSamples> {
  const { subject, operation, database } = options;
  const doomed = createDoomed(options);
  if (doomed.count > 0) await database.addDoomed(subject.table, doomed.count);
  const server = await subject.start();
  try {
    // Warm-up with this project's load generator, which also checks the bodies.
    await measureServer({
      ...basics(options, server),
      connections: wakeConnections,
      seconds: options.wakeSeconds,
      warmupSeconds: 0.1,
      seed: 1000,
      doomed: doomed.take(options.wakeSeconds + 0.2),
      // A bare server returns the same bytes for every id, which is no error.
      ...(subject.isBare ? { scenario: 'any' } : {}),
    });
    const closed: ClosedSample[] = [];
    for (const connections of operation.connections) {
      closed.push(await measureClosed(options, server, connections, doomed));
    }
    const rate = Math.round(options.openRate(closed[0]!.rate));
    const open = await measureOpen(options, server, rate, doomed);
    return { closed, open };
  } finally {
    await server.stop();
    if (operation.writes) await database.trim();
  }
}

async function measureClosed(
  options: TurnOptions,
  server: RunningServer,
  connections: number,
  doomed: DoomedTasks,
): Promise<ClosedSample> {
  const { subject, operation, round, seconds, files } = options;
  let memory: Memory | null = null;
  const run = {
    connections,
    seconds,
    seed: 1 + round,
    doomed: doomed.take(connections === 1 ? seconds / 4 : seconds + 0.1),
  };
  const sample: Sample =
    files === undefined
      ? await measureServer({ ...basics(options, server), ...run, warmupSeconds: 0.2 })
      : await measureWithWrk(files, {
          url: server.url,
          scenario: operation.scenario,
          ...run,
          groups: groupsOf(options, server),
          underLoad() {
            memory = readMemory(server.pid);
          },
        });
  return {
    round,
    operation: operation.name,
    subject: subject.name,
    connections,
    seconds,
    memory,
    ...sample,
  };
}

async function measureOpen(
  options: TurnOptions,
  server: RunningServer,
  rate: number,
  doomed: DoomedTasks,
): Promise<OpenSample> {
  const { count, gone } = doomed.take(options.seconds + 1);
  const result = await runOpenLoop(server, {
    scenario: options.operation.scenario,
    connections: openConnections,
    rate,
    seconds: options.seconds,
    warmupSeconds: 0.5,
    seed: 1 + options.round,
    doomed: { count, gone },
    napUs: openNapUs,
  });
  const { round, operation, subject } = options;
  return { round, operation: operation.name, subject: subject.name, rate, ...result };
}

function basics({ database, operation }: TurnOptions, server: RunningServer) {
  return { server, postgresPid: database.pid, scenario: operation.scenario };
}

function groupsOf(
  { database, redisPid, subject }: TurnOptions,
  server: RunningServer,
): Record<string, number> {
  const groups = { service: server.pid, postgres: database.pid };
  return subject.usesRedis && redisPid !== undefined ? { ...groups, redis: redisPid } : groups;
}

interface DoomedTasks {
  readonly count: number;
  /** The tasks that a run of so many seconds may delete. */
  take(seconds: number): Doomed;
}

/** Deals the tasks that there are to the runs of a turn. */
function createDoomed(options: TurnOptions): DoomedTasks {
  const { operation, seconds, wakeSeconds, subject } = options;
  if (operation.name !== 'delete') return { count: 0, take: () => ({ count: 0, gone: 0 }) };
  const runs = wakeSeconds + 0.2 + seconds + 0.1 + seconds / 4 + seconds + 1;
  const perSecond = deletesMaxPerSecond[subject.isOurs ? 'ours' : 'others'];
  const count = Math.ceil(runs * perSecond);
  let gone = 0;
  return {
    count,
    take(wanted) {
      const taken = gone;
      gone += Math.floor(wanted * perSecond);
      return { count, gone: taken };
    },
  };
}
