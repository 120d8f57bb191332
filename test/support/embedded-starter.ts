/**
 * A process that uses the embedded database in a folder until SIGTERM, and prints a line when it
 * runs.
 */
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { silentLog } from './postgres.ts';

const [dataDir, keep] = process.argv.slice(2);
try {
  const embedded = await startEmbedded({
    dataDir: dataDir!,
    log: silentLog,
    keep: keep === 'keep',
  });
  process.stdout.write(`${JSON.stringify(embedded)}\n`);
  const alive = setInterval(() => {}, 60_000);
  process.once('SIGTERM', async () => {
    clearInterval(alive);
    await embedded.stop();
  });
} catch (error) {
  process.stdout.write(`${JSON.stringify({ refused: (error as Error).message })}\n`);
  process.exitCode = 1;
}
