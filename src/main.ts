/** Becomes the primary, or one of the front ends that it forked. Each loads what it needs alone. */
import cluster from 'node:cluster';
import { setFlagsFromString } from 'node:v8';

// A process or thread that has become idle would collect its whole heap three times to give back a few
// MiB, with several threads for some 20 ms each, on cores that requests need (perf/README.md).
setFlagsFromString('--no-memory-reducer');

if (cluster.isWorker) {
  const { becomeFrontEnd } = await import('./front-end/become-front-end.ts');
  becomeFrontEnd();
} else {
  const { becomePrimary } = await import('./primary/become-primary.ts');
  await becomePrimary();
}
