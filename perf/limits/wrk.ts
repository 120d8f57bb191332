/**
 * wrk, a load generator in C (Debian package wrk): for servers faster than this project's
 * generator.
 */
import { spawn, spawnSync } from 'node:child_process';
import { adopt } from '../support/children.ts';
import { searchPath } from '../support/options.ts';

export interface WrkSample {
  readonly rate: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** @returns the version, or undefined if it is not installed. */
export function findWrk(): string | undefined {
  const { stdout } = spawnSync('wrk', ['-v'], { encoding: 'utf8', env: { PATH: searchPath() } });
  return stdout?.split('\n')[0]?.split('[')[0]?.trim() || undefined;
}

/** Rejects when a response is not a success, or a connection breaks. */
export async function measureWrk(
  url: string,
  connections: number,
  seconds: number,
): Promise<WrkSample> {
  const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}`, '--latency', url], {
    env: { PATH: searchPath() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  adopt(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`wrk on ${url}:\n${text}`);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  if (!(rate > 0)) throw new Error(`wrk said:\n${text}`);
  return { rate, p50Us: latency(text, '50%'), p99Us: latency(text, '99%') };
}

function latency(text: string, share: string): number {
  const match = new RegExp(`${share}\\s+([\\d.]+)(us|ms|s)`).exec(text);
  const factors: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };
  return Number(match?.[1]) * factors[match?.[2] ?? 'us']!;
}
