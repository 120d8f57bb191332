/**
 * For `NODE_OPTIONS=--import`: throws an uncaught error in a process or thread once a file exists.
 */
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const {
  THROW_IN: place,
  THROW_HOW: how,
  THROW_WHAT: what = '',
  THROW_WHEN: file = '',
} = process.env;
const here = !isMainThread ? 'thread' : cluster.isWorker ? 'front-end' : 'primary';
const lookMs = 20;

if (place === here) {
  const error = Object.assign(new Error(`connect ${what}`), {
    code: what,
    query: what,
    args: [what],
  });
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    if (how === 'rejection') void Promise.reject(error);
    else throw error;
  }, lookMs);
  timer.unref();
}
