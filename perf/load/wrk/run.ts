/**
 * wrk, a load generator in C (Debian package wrk), with the requests of the scenarios: for peaks,
 * where a JavaScript client would be the bottleneck. It only checks the status.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { adopt } from '../../support/children.ts';
import { type CpuSnapshot, cpuBetween, readCpu } from '../../support/cpu.ts';
import { searchPath } from '../../support/options.ts';
import { rootDir } from '../../support/paths.ts';
import type { Sample } from '../../support/sample.ts';
import { createScenario, type Doomed, type ScenarioName } from '../scenarios.ts';

export interface WrkRun {
  readonly url: string;
  readonly scenario: ScenarioName;
  readonly connections: number;
  readonly seconds: number;
  readonly seed: number;
  readonly doomed: Doomed;
  /** The root process of each group whose CPU time is measured. */
  readonly groups: Readonly<Record<string, number>>;
  /** Called shortly before the end of the load. */
  underLoad?(): void;
}

export interface RequestFiles {
  of(scenario: ScenarioName, seed: number, doomed: Doomed): string;
  remove(): void;
}

interface Counted {
  readonly requests: number;
  readonly microseconds: number;
  readonly failed: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

const lengthDigits = 6;

/** @returns its version, or undefined when this machine has none. */
export function findWrk(): string | undefined {
  const { stdout } = spawnSync('wrk', ['-v'], { encoding: 'utf8', env: { PATH: searchPath() } });
  return stdout?.split('\n')[0]?.split('[')[0]?.trim() || undefined;
}

/** Made once for all that are measured with them; each request stands behind its length. */
export function createRequestFiles(): RequestFiles {
  const directory = mkdtempSync(join(tmpdir(), 'tasks-wrk-'));
  const made = new Set<string>();
  return {
    of(name, seed, doomed) {
      const file = join(directory, `${name}-${seed}-${doomed.gone}-${doomed.count}`);
      if (!made.has(file)) {
        const { requests } = createScenario(name, '127.0.0.1', seed, doomed);
        const parts = requests.flatMap((request) => [
          Buffer.from(String(request.length).padStart(lengthDigits, '0')),
          request,
        ]);
        writeFileSync(file, Buffer.concat(parts));
        made.add(file);
      }
      return file;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Rejects when a response is not a success, or a connection breaks. */
export async function measureWithWrk(files: RequestFiles, run: WrkRun): Promise<Sample> {
  const child = spawn(
    'wrk',
    [
      ...['-t1', `-c${run.connections}`, `-d${run.seconds}`, '--timeout', '30'],
      ...['-s', join(rootDir, 'perf/load/wrk/requests.lua'), run.url],
      ...['--', files.of(run.scenario, run.seed, run.doomed)],
    ],
    { env: { PATH: searchPath() }, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  adopt(child);
  const groups = { ...run.groups, client: child.pid! };
  let output = '';
  let before: CpuSnapshot | null = null;
  let cpu: CpuSnapshot | null = null;
  let counted: Counted | undefined;
  let nearEnd: NodeJS.Timeout | undefined;
  let begun = false;
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    output += `${line}\n`;
    if (line === 'began' && !begun) {
      begun = true;
      before = readCpu(groups);
      nearEnd = setTimeout(() => run.underLoad?.(), run.seconds * 900);
    } else if (line.startsWith('result ')) {
      counted = JSON.parse(line.slice('result '.length));
      cpu = cpuBetween(before, readCpu(groups));
      child.stdin.end();
    }
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(nearEnd);
  if (code !== 0 || counted === undefined || counted.failed > 0 || counted.requests === 0) {
    throw new Error(`wrk on ${run.scenario} with ${run.connections} connections:\n${output}`);
  }
  const spent: CpuSnapshot | null = cpu;
  const { requests, microseconds, failed: _, ...latencyUs } = counted as Counted;
  return {
    rate: requests / (microseconds / 1e6),
    requests,
    latencyUs,
    ...cpuOf(spent),
  };
}

function cpuOf(cpu: CpuSnapshot | null): Pick<Sample, 'cpuSeconds' | 'idle' | 'stolen'> {
  return {
    cpuSeconds: cpu === null ? null : cpu.groups,
    idle: cpu === null ? null : cpu.idle / cpu.total,
    stolen: cpu === null ? null : cpu.stolen / cpu.total,
  };
}
