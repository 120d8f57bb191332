/** A real nginx that strips a prefix, with a minimal configuration. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { freePort } from './free-port.ts';
import { eventually } from './service.ts';

export interface PrefixProxy {
  readonly port: number;
  stop(): Promise<void>;
}

const stops = new Set<() => Promise<void>>();
after(async () => {
  for (const stop of stops) await stop();
});

/** @param prefix starts and ends with `/`. */
export async function startPrefixProxy(prefix: string, service: number): Promise<PrefixProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'prefix-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
pid ${join(folder, 'pid')};
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${join(folder, 'body')};
  proxy_temp_path ${join(folder, 'proxy')};
  server {
    listen 127.0.0.1:${port};
    location ${prefix} {
      proxy_pass http://127.0.0.1:${service}/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`,
  );
  const child = spawn('nginx', ['-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((done) => child.once('exit', done));

  async function stop(): Promise<void> {
    stops.delete(stop);
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }

  stops.add(stop);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error('nginx has ended');
    return (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)) !== undefined;
  }, 'nginx does not listen');
  return { port, stop };
}
