/**
 * The same with Linux perf, for what is C++: uWebSockets.js, V8, the kernel.
 *
 *   make flamegraph-native LOAD=get
 *
 * Needs perf and a kernel that lets it look. Writes flamegraphs/<date>-<load>-native.html.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDatabase } from '../support/database.ts';
import { today } from '../support/machine.ts';
import { treeOf } from '../support/process-tree.ts';
import { runSession } from '../support/session.ts';
import { drawFlamegraph } from './draw.ts';
import { readFlamegraphOptions, wakeSeconds } from './options.ts';
import { withoutStale } from './perf-map.ts';
import { perfScriptToProfile } from './perf-script.ts';
import { putLoadOn, startProfiledService } from './profiled-service.ts';
import { describeWidest } from './widest.ts';

/** A clock rather than the processor's counters, which virtual machines seldom have. */
const event = ['-e', 'cpu-clock', '-F', '997', '-g'];
/** Names of compiled JavaScript for perf, in /tmp/perf-<pid>.map. */
const namingFlags = ['--perf-basic-prof', '--interpreted-frames-native-stack'];
const scriptMaxBytes = 2 ** 30;

const options = readFlamegraphOptions(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), 'perf-'));
const missing = whatIsMissing();
if (missing !== undefined) {
  process.stderr.write(`flamegraph-native: ${missing}\n`);
  process.exitCode = 1;
} else {
  await runSession(
    () => startDatabase(options.dataDir),
    async (database) => {
      const service = await startProfiledService(database, options, namingFlags);
      const pids = treeOf(service.pid);
      const maps = pids.map((pid) => `/tmp/perf-${pid}.map`);
      try {
        const over = putLoadOn(service, options);
        await sleep(wakeSeconds * 1000);
        const data = join(folder, 'perf.data');
        const whose = ['-o', data, '-p', pids.join(',')];
        perf(['record', '-q', ...event, ...whose, '--', 'sleep', String(options.seconds)]);
        await over;
        // It writes names until its end.
        await service.stop();
        for (const map of maps.filter(existsSync)) {
          writeFileSync(map, withoutStale(readFileSync(map, 'utf8')));
        }
        const script = perf(['script', '-F', 'comm,pid,tid,ip,sym,dso', '-i', data]);
        const profile = perfScriptToProfile(script);
        const html = drawFlamegraph(profile, options, `${today()}-${options.load}-native`);
        process.stdout.write(`${describeWidest(profile)}\n\n${html}\n`);
      } finally {
        await service.stop();
        for (const map of maps) rmSync(map, { force: true });
      }
    },
  );
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
