/** Redis's load generator, in C: reads a stored list; PING measures loopback itself. */
import { spawn } from 'node:child_process';
import { adopt } from '../support/children.ts';
import { searchPath } from '../support/options.ts';

export interface RedisRun {
  /** `PING` or `GET`. */
  readonly command: readonly string[];
  readonly address: readonly string[];
  readonly clients: number;
  readonly pipeline: number;
  readonly requests: number;
}

export interface RedisSample {
  readonly rate: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export async function measureRedis(run: RedisRun): Promise<RedisSample> {
  const child = spawn(
    'redis-benchmark',
    [
      ...run.address,
      ...['-c', String(run.clients), '-P', String(run.pipeline), '-n', String(run.requests)],
      ...['--csv', ...run.command],
    ],
    { env: { PATH: searchPath() }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  adopt(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95…","p99…","max…"
  const [, rate, , , p50, , p99] = text
    .trim()
    .split('\n')
    .at(-1)!
    .split('","')
    .map((cell) => Number(cell.replaceAll('"', '')));
  if (!(rate! > 0)) throw new Error(`redis-benchmark said:\n${text}`);
  return { rate: rate!, p50Us: p50! * 1000, p99Us: p99! * 1000 };
}
