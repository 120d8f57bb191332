/**
 * Runs a peer in several processes with node:cluster: `node cluster.mjs <program> <processes>`.
 * Prints a line when all of them listen.
 */
import cluster from 'node:cluster';

const [, , program, count] = process.argv;
cluster.setupPrimary({ exec: program, silent: true });
let listening = 0;
for (let number = 0; number < Number(count); number++)
  cluster.fork().process.stderr.pipe(process.stderr);
cluster.on('message', (_worker, message) => {
  if (message?.message !== 'listening' || ++listening < Number(count)) return;
  process.stdout.write(`${JSON.stringify(message)}\n`);
});
cluster.on('exit', (_worker, code) => process.exit(code ?? 1));
process.once('SIGTERM', () => {
  cluster.removeAllListeners('exit');
  for (const worker of Object.values(cluster.workers)) worker.kill('SIGTERM');
});
