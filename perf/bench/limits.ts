/** Upper bounds for any server: the database in batches, Redis, a thread, loopback. */
import { measurePgbench, type Pgbench, type PgbenchScript } from '../limits/pgbench.ts';
import { measurePiscina } from '../limits/piscina.ts';
import { measureRedis } from '../limits/redis-benchmark.ts';
import type { PerfDatabase } from '../support/database.ts';
import { freePort } from '../support/server.ts';
import type { RedisServer } from './redis-server.ts';
import type { LimitSample } from './samples.ts';

export interface LimitOptions {
  readonly round: number;
  readonly seconds: number;
  readonly database: PerfDatabase;
  readonly pgbench: Pgbench | undefined;
  readonly redis: RedisServer | undefined;
}

/** About what Redis does in a second; each run has at most as many. */
const redisRequests = 200_000;
const roundTrips = 20_000;

export async function measureLimits(options: LimitOptions): Promise<LimitSample[]> {
  return [
    ...(await databaseLimits(options)),
    ...(await redisLimits(options)),
    ...(await threadLimits(options)),
  ];
}

async function databaseLimits(options: LimitOptions): Promise<LimitSample[]> {
  const { pgbench, database, round, seconds } = options;
  if (pgbench === undefined) return [];
  const samples: LimitSample[] = [];
  const scripts: readonly [PgbenchScript, string, number, number][] = [
    ['select.sql', 'prepared select', 8, 1],
    ['select-pipelined.sql', '8 prepared selects pipelined', 8, 8],
    ['select-any.sql', '= ANY of 32', 8, 32],
  ];
  for (const [script, title, clients, rows] of scripts) {
    const sample = await measurePgbench(pgbench, {
      database: database.config,
      postgresPid: database.pid,
      script,
      clients,
      seconds,
      warmupSeconds: 1,
      seed: 1 + round,
    });
    const cpu = sample.cpuSeconds?.['postgres'];
    samples.push({
      round,
      limit: `pgbench: ${title}, ${clients} clients`,
      unit: 'rows',
      rate: sample.rate * rows,
      p50Us: sample.latencyUs.p50,
      cpuUs: cpu === undefined ? null : (cpu * 1e6) / (sample.requests * rows),
    });
  }
  return samples;
}

async function redisLimits({ redis, round }: LimitOptions): Promise<LimitSample[]> {
  if (redis === undefined) return [];
  const unix = ['-s', redis.socket];
  // The size of a cached list of 20 tasks.
  const value = 'x'.repeat(5000);
  redis.set('limit', value);
  const runs = [
    { limit: 'redis-benchmark: GET of 5 kB, 64 clients', clients: 64, pipeline: 1 },
    { limit: 'redis-benchmark: GET of 5 kB, 64 clients, 16 pipelined', clients: 64, pipeline: 16 },
  ];
  const samples: LimitSample[] = [];
  for (const { limit, clients, pipeline } of runs) {
    const command = ['GET', 'limit'];
    const requests = redisRequests;
    const { rate, p50Us } = await measureRedis({
      command,
      address: unix,
      clients,
      pipeline,
      requests,
    });
    samples.push({ round, limit, unit: 'requests', rate, p50Us, cpuUs: null });
  }
  const port = await freePort();
  redis.listen(port);
  const ways = [
    { way: 'unix socket', address: unix },
    { way: 'loopback TCP', address: ['-h', '127.0.0.1', '-p', String(port)] },
  ];
  for (const { way, address } of ways) {
    for (const clients of [1, 64]) {
      const { rate, p50Us } = await measureRedis({
        command: ['PING'],
        address,
        clients,
        pipeline: 1,
        requests: clients === 1 ? roundTrips : redisRequests,
      });
      const limit = `${way} itself: PING between two programs in C, ${clients} clients`;
      samples.push({ round, limit, unit: 'requests', rate, p50Us, cpuUs: null });
    }
  }
  return samples;
}

async function threadLimits({ round }: LimitOptions): Promise<LimitSample[]> {
  return (await measurePiscina(1)).map(({ atomics, transfers, underWay, rate, p50Us, cpuUs }) => ({
    round,
    limit: `Piscina, no work, atomics ${atomics}, ${underWay} under way, ${transfers ? '4 kB handed over both ways' : 'nothing handed over'}`,
    unit: 'tasks',
    rate,
    p50Us,
    cpuUs,
  }));
}
