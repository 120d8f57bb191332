/**
 * A flame graph with Linux perf, including C++: uWebSockets.js, V8, the kernel.
 *
 *   make flamegraph-native LOAD=get
 *
 * Needs perf and a kernel that permits it. Writes flamegraphs/<date>-<load>-native.html.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawFlamegraph } from './support/draw.ts';
import { readFlamegraphOptions, wakeSeconds } from './support/flamegraph-options.ts';
import { today } from './support/machine.ts';
import { withoutStale } from './support/perf-map.ts';
import { perfScriptToProfile } from './support/perf-script.ts';
import { treeOf } from './support/pinning.ts';
import { putLoadOn, startProfiledService } from './support/profiled-service.ts';
import { runSession } from './support/session.ts';
import { describeWidest } from './support/widest.ts';

/** The CPU clock, because virtual machines rarely have hardware counters. */
const event = ['-e', 'cpu-clock', '-F', '997', '-g'];
const scriptMaxBytes = 2 ** 30;

const options = readFlamegraphOptions(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), 'perf-'));
const missing = whatIsMissing();
if (missing !== undefined) {
  process.stderr.write(`flamegraph-native: ${missing}\n`);
  process.exitCode = 1;
} else {
  await runSession(options.dataDir, async (database) => {
    const service = await startProfiledService(database, {
      ...options,
      dataDir: resolve(options.dataDir),
      // Writes the names of compiled JavaScript for perf to /tmp/perf-<pid>.map.
      flags: ['--perf-basic-prof', '--interpreted-frames-native-stack'],
    });
    const pids = treeOf(service.pid);
    const maps = pids.map((pid) => `/tmp/perf-${pid}.map`);
    try {
      const { load: scenario, connections, seconds } = options;
      const over = putLoadOn(service, {
        scenario,
        connections,
        seconds: wakeSeconds + seconds + 1,
      });
      await sleep(wakeSeconds * 1000);
      const data = join(folder, 'perf.data');
      const whose = ['-o', data, '-p', pids.join(',')];
      perf(['record', '-q', ...event, ...whose, '--', 'sleep', String(seconds)]);
      await over;
      // V8 writes names until the process ends.
      await service.stop();
      for (const map of maps.filter(existsSync)) {
        writeFileSync(map, withoutStale(readFileSync(map, 'utf8')));
      }
      const script = perf(['script', '-F', 'comm,pid,tid,ip,sym,dso', '-i', data]);
      const profile = perfScriptToProfile(script);
      const html = drawFlamegraph(profile, options, `${today()}-${scenario}-native`);
      process.stdout.write(`${describeWidest(profile)}\n\n${html}\n`);
    } finally {
      await service.stop();
      for (const map of maps) rmSync(map, { force: true });
    }
  });
}
rmSync(folder, { recursive: true });

function perf(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('perf', args, {
    encoding: 'utf8',
    maxBuffer: scriptMaxBytes,
  });
  if (status !== 0) throw new Error(`perf ${args[0]} failed:\n${stderr}`);
  return stdout;
}

function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return 'perf is a tool of Linux, this is another system.';
  if (spawnSync('perf', ['--version']).error !== undefined) {
    return 'perf is not installed (Debian: linux-perf).';
  }
  const tried = spawnSync(
    'perf',
    ['record', '-q', ...event, '-o', join(folder, 'try.data'), '--', 'true'],
    { encoding: 'utf8' },
  );
  if (tried.status === 0) return undefined;
  const file = '/proc/sys/kernel/perf_event_paranoid';
  const level = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'unknown';
  return (
    `the kernel does not let perf look (kernel.perf_event_paranoid is ${level}; ` +
    `1 or less allows it, as root: sysctl kernel.perf_event_paranoid=1). It said:\n${tried.stderr.trim()}`
  );
}
