/** A real nginx with only the test's location, and no other setting that could help the service. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { freePort } from './free-port.ts';
import { eventually } from './service.ts';

export interface PlainNginx {
  readonly port: number;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** @param location directives of `location /`. */
export async function startPlainNginx(location: string): Promise<PlainNginx> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr crit;
     events {}
     http { access_log off; ${folders}
       server { listen 127.0.0.1:${port}; location / { ${location} } } }`,
  );
  const child = spawn('nginx', ['-e', 'stderr', '-c', file], { stdio: 'ignore' });
  running.add(child);
  const ended = new Promise((done) => child.once('exit', done));
  await eventually(() => takesConnections(port), 'nginx does not listen');
  return {
    port,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      running.delete(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
