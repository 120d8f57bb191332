/**
 * A flame graph of the whole service under a load, drawn by 0x: front ends and workers side by side.
 *
 *   make flamegraph LOAD=get
 *   bin/node dist/perf/flamegraph/main.js --load get --seconds 10 --connections 64 --offload 32
 *
 * Uses the database of perf/support/database.ts. Writes flamegraphs/<date>-<load>.html and says what
 * is widest.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startDatabase } from '../support/database.ts';
import { today } from '../support/machine.ts';
import { runSession } from '../support/session.ts';
import { drawFlamegraph } from './draw.ts';
import { readFlamegraphOptions, wakeSeconds } from './options.ts';
import { putLoadOn, startProfiledService } from './profiled-service.ts';
import { describeWidest } from './widest.ts';

const options = readFlamegraphOptions(process.argv.slice(2));

await runSession(
  () => startDatabase(options.dataDir),
  async (database) => {
    const service = await startProfiledService(database, options, []);
    const over = putLoadOn(service, options);
    await sleep(wakeSeconds * 1000);
    const target = `profile?seconds=${options.seconds}&format=cpuprofile`;
    const profile = await service.profile(target);
    await over;
    await service.stop();
    const html = drawFlamegraph(profile, options, `${today()}-${options.load}`);
    process.stdout.write(`${describeWidest(profile)}\n\n${html}\n`);
  },
);
