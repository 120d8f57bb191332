/**
 * Loaded into every thread of a service by `NODE_OPTIONS=--import`. It ends each worker thread
 * after WORKER_LIFE_MS in the way of WORKER_DEATH; with WORKER_DEATH_FILE only while that file
 * exists. The service does not know it.
 */
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const life = Number(process.env['WORKER_LIFE_MS']);
/** `exit`; `throw`; `memory`: allocates without limit; `loop`: never returns. */
const death = process.env['WORKER_DEATH'] ?? 'exit';
const file = process.env['WORKER_DEATH_FILE'];

if (!isMainThread && life > 0) {
  setInterval(dieInTime, life * (0.75 + Math.random() / 2)).unref();
}

function dieInTime(): void {
  if (file === undefined || existsSync(file)) die();
}

function die(): void {
  switch (death) {
    case 'throw':
      throw new Error('thrown on purpose');
    case 'memory':
      fillMemory();
      break;
    case 'loop':
      for (;;);
    default:
      process.exit(1);
  }
}

function fillMemory(): void {
  for (const hoard: unknown[] = []; ; ) hoard.push(new Array(1e5).fill(hoard.length));
}
