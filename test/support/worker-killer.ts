/**
 * Loaded into every thread of a service by `NODE_OPTIONS=--import`: ends each worker thread after
 * WORKER_LIFE_MS, whatever it is doing. The service itself knows nothing of it.
 */
import { isMainThread } from 'node:worker_threads';

const life = Number(process.env['WORKER_LIFE_MS']);

if (!isMainThread && life > 0) {
  setTimeout(() => process.exit(1), life * (0.75 + Math.random() / 2)).unref();
}
