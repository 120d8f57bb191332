/** A real nginx or HAProxy with the configuration of deploy/; only names and ports are replaced. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { freePort } from './free-port.ts';
import { eventually } from './service.ts';

export type ProxyName = 'nginx' | 'haproxy';

export interface Proxy {
  readonly plainPort: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

const deploy = resolve(import.meta.dirname, '../../../deploy');
const hostName = 'api.example';
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** For the `skip` of a test: false if it is installed, otherwise what to do. */
export function withoutProxy(name: ProxyName): string | false {
  const isThere = (program: string) => spawnSync(program, ['-v']).error === undefined;
  if (!isThere(name)) return `there is no ${name}: apt-get install ${name}`;
  if (!isThere('openssl')) return 'there is no openssl';
  return process.getuid?.() === 0 ? false : 'its folders belong to root';
}

/** Starts it in front of two services. */
export async function startProxy(
  name: ProxyName,
  services: readonly [number, number],
): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-'));
  const path = (file: string) => join(folder, file);
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${hostName}`,
    ].concat(['-keyout', path('key.pem'), '-out', path('crt.pem')]),
    { stdio: 'pipe' },
  );
  writeFileSync(
    path('both.pem'),
    readFileSync(path('crt.pem'), 'utf8') + readFileSync(path('key.pem'), 'utf8'),
  );
  const [plainPort, tlsPort] = [await freePort(), await freePort()];
  const file = path(name);
  writeFileSync(file, adapt(name));

  function adapt(program: ProxyName): string {
    const text = readFileSync(
      join(deploy, program === 'nginx' ? 'nginx.conf' : 'haproxy.cfg'),
      'utf8',
    );
    const replaced = text
      .replaceAll('/etc/ssl/API.EXAMPLE.crt', path('crt.pem'))
      .replaceAll('/etc/ssl/API.EXAMPLE.key', path('key.pem'))
      .replaceAll('/etc/ssl/API.EXAMPLE.pem', path('both.pem'))
      .replaceAll('API.EXAMPLE', hostName)
      .replace('listen 80 ', `listen ${plainPort} `)
      .replace('listen 443 ', `listen ${tlsPort} `)
      .replace('bind :80', `bind :${plainPort}`)
      .replace('bind :443 ', `bind :${tlsPort} `)
      .replace('127.0.0.1:8080', `127.0.0.1:${services[0]}`)
      .replace(/# (server .*)127\.0\.0\.2:8080/, `$1127.0.0.1:${services[1]}`)
      // All requests come from one client here.
      .replace('rate=50r/s', 'rate=100000r/s')
      .replace('gt 500', 'gt 1000000');
    return replaced;
  }

  const check = name === 'nginx' ? ['-t', '-c', file] : ['-c', '-f', file];
  const own = name === 'nginx' ? ['-g', `daemon off; pid ${path('pid')}; error_log stderr;`] : [];
  const checked = spawnSync(name, check, { encoding: 'utf8' });
  if (checked.status !== 0) throw new Error(checked.stdout + checked.stderr);

  const start = name === 'nginx' ? ['-c', file, ...own] : ['-db', '-f', file];
  const child = spawn(name, start, { stdio: 'ignore' });
  running.add(child);
  const ended = new Promise((done) => child.once('exit', done));
  await eventually(() => answers(plainPort), `${name} does not listen`);

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    await ended;
    running.delete(child);
    rmSync(folder, { recursive: true, force: true });
  }

  return { plainPort, tlsPort, stop };
}

async function answers(port: number): Promise<boolean> {
  try {
    await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
    return true;
  } catch {
    return false;
  }
}
