/**
 * The cost of a round trip to an idle worker thread: with and without a transferred buffer, alone
 * and with many in flight.
 */
import { Piscina } from 'piscina';

export interface PiscinaSample {
  readonly atomics: 'sync' | 'async' | 'disabled';
  readonly transfers: boolean;
  readonly underWay: number;
  readonly rate: number;
  readonly p50Us: number;
  readonly cpuUs: number;
}

const bufferBytes = 4096;
const filename = new URL('./piscina-worker.js', import.meta.url).href;

export async function measurePiscina(seconds: number): Promise<readonly PiscinaSample[]> {
  const samples: PiscinaSample[] = [];
  for (const atomics of ['sync', 'async', 'disabled'] as const) {
    const pool = new Piscina({
      filename,
      minThreads: 1,
      maxThreads: 1,
      atomics,
      recordTiming: false,
      concurrentTasksPerWorker: atomics === 'sync' ? 1 : 4,
    });
    for (const underWay of [1, 4]) {
      for (const transfers of [false, true]) {
        await run(pool, underWay, transfers, seconds / 4);
        samples.push({
          atomics,
          transfers,
          underWay,
          ...(await run(pool, underWay, transfers, seconds)),
        });
      }
    }
    await pool.destroy();
  }
  return samples;
}

async function run(
  pool: Piscina,
  underWay: number,
  transfers: boolean,
  seconds: number,
): Promise<Pick<PiscinaSample, 'rate' | 'p50Us' | 'cpuUs'>> {
  const times: number[] = [];
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const end = began + seconds * 1000;
  await Promise.all(Array.from({ length: underWay }, trips));
  const spent = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  times.sort((a, b) => a - b);
  return {
    rate: times.length / spent,
    p50Us: times[times.length >> 1]! * 1000,
    cpuUs: (cpu.user + cpu.system) / times.length,
  };

  async function trips(): Promise<void> {
    for (let now = performance.now(); now < end; ) {
      const buffer = transfers ? new ArrayBuffer(bufferBytes) : null;
      await pool.run(buffer, buffer === null ? {} : { transferList: [buffer] });
      const after = performance.now();
      times.push(after - now);
      now = after;
    }
  }
}
