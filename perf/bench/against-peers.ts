/** Measures this service, peers and limits, interleaved. */
import { resolve } from 'node:path';
import { findPgbench, measurePgbench } from '../limits/pgbench.ts';
import { createRequestFiles, findWrk } from '../load/wrk/run.ts';
import { startDatabase } from '../support/database.ts';
import { alone } from '../support/lock.ts';
import { describeSettings, today } from '../support/machine.ts';
import { readChoice, readOptions, readText } from '../support/options.ts';
import { writeResults } from '../support/results.ts';
import { runSession } from '../support/session.ts';
import { rotate, spreadOf } from '../support/statistics.ts';
import { askEverything, differenceBetween } from './check.ts';
import { measureLimits } from './limits.ts';
import { type OperationName, operationNames, operations } from './operations.ts';
import { peers as allPeers, installPeer, type Peer } from './peers.ts';
import { plot } from './plot.ts';
import { startRedis } from './redis-server.ts';
import { report } from './report.ts';
import { createRunner } from './runner.ts';
import type { BenchSamples, ClosedSample, Missing } from './samples.ts';
import { measureStart } from './start-time.ts';
import {
  oursName,
  ours as oursSubject,
  type PgbenchSubject,
  peerSubject,
  type Subject,
  type Surroundings,
  subjectsOf,
} from './subjects.ts';

const parts = [...operationNames, 'limits', 'start'] as const;
const starts = 5;

const options = readOptions({
  rounds: 3,
  seconds: 3,
  connections: [],
  // Until V8's compiler is idle: it takes CPU time from all processes.
  warmupSeconds: 3,
  program: 'dist/perf/bench/main.js',
});
const chosen = readChoice('ONLY', parts);
const chosenPeers = readChoice(
  'PEERS',
  allPeers.map(({ name }) => name),
);
const lockFile = readText('MEASURE_LOCK');
const dataDir = resolve(options.dataDir);

const pgbench = findPgbench();
const wrk = findWrk();
const files = wrk === undefined ? undefined : createRequestFiles();
const missing: Missing[] = [];
let postgresVersion = '';
const samples: BenchSamples = { closed: [], open: [], limits: [], startMs: [] };
if (pgbench === undefined) missing.push({ what: 'pgbench', reason: 'not on this machine' });
if (wrk === undefined) {
  missing.push({ what: 'wrk', reason: 'not on this machine: our own generator took its place' });
}

await runSession(
  () => startDatabase(options.dataDir),
  async (database) => {
    postgresVersion = database.version;
    const redis = await startRedis();
    if (redis === undefined) missing.push({ what: 'Redis', reason: 'not on this machine' });
    const installed = allPeers.filter(
      (peer) => chosenPeers.includes(peer.name) && isInstalled(peer),
    );
    const all: Surroundings = {
      database,
      directory: dataDir,
      peers: installed,
      peerTable: readText('PEER_TABLE'),
      frontEnds: Number(readText('FRONTENDS') ?? 1),
      redis,
      hasPgbench: pgbench !== undefined,
    };
    const around = { ...all, peers: await answeringAsWeDo(all) };
    const runner = createRunner({ options, database, redisPid: redis?.pid, files, samples });

    for (let round = 0; round < options.rounds; round++) {
      for (const operation of operationNames.filter((name) => chosen.includes(name))) {
        await alone(lockFile, async () => {
          for (const subject of rotate(subjectsOf(operations[operation], around), round)) {
            await carryOut(subject, round, operation);
          }
        });
        write();
      }
      if (chosen.includes('limits')) {
        const { seconds } = options;
        const limits = () => measureLimits({ round, seconds, database, pgbench, redis });
        samples.limits.push(...(await alone(lockFile, limits)));
        write();
      }
    }
    await redis?.stop();

    async function carryOut(
      subject: Subject,
      round: number,
      operation: OperationName,
    ): Promise<void> {
      if (subject.kind === 'pgbench') {
        runner.tell(await carryOutPgbench(subject, round, operation));
        return;
      }
      try {
        await runner.measure(subject, round, operation);
      } catch (error) {
        if (subject.name === oursName) throw error;
        const reason = (error as Error).message.split('\n')[0]!;
        process.stderr.write(`${subject.name}, ${operation}: ${(error as Error).message}\n`);
        missing.push({ what: `${subject.name}, ${operation}, round ${round + 1}`, reason });
      }
    }

    async function carryOutPgbench(
      subject: PgbenchSubject,
      round: number,
      operation: OperationName,
    ): Promise<ClosedSample> {
      const sample = await measurePgbench(pgbench!, {
        database: database.config,
        postgresPid: database.pid,
        script: subject.script,
        clients: subject.clients,
        seconds: options.seconds,
        warmupSeconds: 1,
        seed: 1 + round,
      });
      if (operations[operation].writes) await database.trim();
      const { name, clients: connections } = subject;
      const { seconds } = options;
      return { round, operation, subject: name, connections, seconds, memory: null, ...sample };
    }
  },
);
files?.remove();

if (process.exitCode === undefined && chosen.includes('start')) {
  for (let run = 0; run < starts; run++) {
    samples.startMs.push(await alone(lockFile, () => measureStart(dataDir)));
  }
  process.stderr.write(
    `start to first answer: ${spreadOf(samples.startMs).median.toFixed(0)} ms\n`,
  );
  write();
}

/** Written after each part, so that an interrupt does not lose earlier measurements. */
function write(): void {
  const settings = [
    ...describeSettings({
      command: options.command,
      postgresVersion: `${postgresVersion}; ${pgbench?.version ?? 'pgbench is missing'}`,
      peers: chosenPeers,
    }),
    { label: 'load generator', value: wrk === undefined ? 'our own' : `${wrk}, one thread` },
  ];
  const name = `${today()}-bench${chosen.length === parts.length ? '' : `-${chosen.join('-')}`}`;
  writeResults(options.results, name, {
    markdown: report(settings, options, samples, missing, `${name}.svg`),
    json: { settings, missing, ...samples },
    pictures: { [`${name}.svg`]: plot(samples) },
  });
}

function isInstalled(peer: Peer): boolean {
  const reason = installPeer(peer);
  if (reason !== null) missing.push({ what: peer.title, reason });
  return reason === null;
}

/** Excludes peers whose responses differ. */
async function answeringAsWeDo(around: Surroundings): Promise<readonly Peer[]> {
  const service = await oursSubject(around).start();
  const wanted = {
    tasks: await askEverything(service, { tasks: true, list: false }),
    list: await askEverything(service, { tasks: false, list: true }),
  };
  await service.stop();
  const same: Peer[] = [];
  for (const peer of around.peers) {
    const difference = await differenceOf(peer);
    if (difference === null) same.push(peer);
    else missing.push({ what: peer.title, reason: `another answer: ${difference}` });
  }
  await around.database.trim();
  return same;

  async function differenceOf(peer: Peer): Promise<string | null> {
    const subject = peerSubject(peer, operations.get, around);
    try {
      const server = await subject.start();
      const answers = await askEverything(server, peer).finally(() => server.stop());
      return differenceBetween(answers, [
        ...(peer.tasks ? wanted.tasks : []),
        ...(peer.list ? wanted.list : []),
      ]);
    } catch (error) {
      return (error as Error).message;
    }
  }
}
