/** Becomes the primary, or a front end that the primary forked. Each loads only what it needs. */
import cluster from 'node:cluster';
import { setFlagsFromString } from 'node:v8';

// Otherwise V8 collects the whole heap of an idle process or thread three times to free a few MiB.
// That takes several threads 20 ms each, on cores that requests need (perf/README.md).
setFlagsFromString('--no-memory-reducer');

if (cluster.isWorker) {
  const { becomeFrontEnd } = await import('./front-end/become-front-end.ts');
  becomeFrontEnd();
} else {
  const { becomePrimary } = await import('./primary/become-primary.ts');
  await becomePrimary();
}
