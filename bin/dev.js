/**
 * The service, rebuilt and restarted on every change: `make dev`. A build takes well under a
 * second, so each change gets a whole one; only one without an error replaces what runs.
 * The compiler's own watch mode is not used: version 7.0 misses changes on some file systems.
 */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';

/** An editor that saves writes more than once. */
const settleMs = 100;

let service = null;
let compiler = null;
let dirty = false;
let restarting = false;
let stopping = false;
let timer;

const watchers = ['src', 'workers', 'sql'].map((folder) =>
  watch(folder, { recursive: true }, (_event, name) => {
    if (!/\.(ts|sql)$/.test(name ?? '')) return;
    clearTimeout(timer);
    timer = setTimeout(build, settleMs);
  }),
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
start();

function build() {
  if (stopping) return;
  dirty = compiler !== null;
  if (dirty) return;
  compiler = spawn(process.execPath, ['bin/compile.js'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  compiler.once('exit', (code) => {
    compiler = null;
    if (dirty) build();
    else if (code === 0) restart();
    else if (!stopping) console.log('The build failed: what ran before stays.');
  });
}

function restart() {
  if (stopping) return;
  if (service === null) return start();
  restarting = true;
  service.kill('SIGTERM');
}

function start() {
  restarting = false;
  // In a process group of its own Ctrl-C does not reach it: it gets exactly one signal, from
  // here. A second one would tell it to give up what is in flight.
  service = spawn(process.execPath, ['--enable-source-maps', 'dist/src/main.js'], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  service.once('exit', (code, signal) => {
    service = null;
    if (stopping) return;
    if (restarting) start();
    else console.log(`The service ended (${code ?? signal}); the next change starts it again.`);
  });
}

/** Once: the service stops in order. Twice: at once, which is what it makes of a second signal. */
function stop() {
  stopping = true;
  clearTimeout(timer);
  for (const watcher of watchers) watcher.close();
  compiler?.kill('SIGTERM');
  service?.kill('SIGTERM');
}
