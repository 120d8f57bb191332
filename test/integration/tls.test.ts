import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig, SslMode } from '../../src/config/config.ts';
import { openPipeline } from '../../src/database/pipeline/pipeline.ts';
import { withSession } from '../../src/database/session.ts';
import { findBinaries } from '../../src/embedded/binaries.ts';
import { ordinaryUserPrefix } from '../../src/embedded/ordinary-user.ts';
import { freePort } from '../support/free-port.ts';

const skip = hasOpenssl() ? false : 'needs openssl: apt-get install openssl';
const binaries = findBinaries();

let folder: string;
let port: number;
let server: ChildProcess;

before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), 'tls-'));
  makeCertificates();
  run(binaries.initdb, '-D', path('data'), '-U', 'postgres', '--auth=trust', '-N');
  port = await freePort();
  server = await startServer('on');
});

after(async () => {
  await stopServer();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe('sslmode, as libpq means it', { skip }, () => {
  test('disable speaks plain text', async () => {
    assert.equal(await isEncrypted('disable', 'localhost', null), false);
  });

  test('require encrypts, whoever signed the certificate', async () => {
    assert.equal(await isEncrypted('require', '127.0.0.1', null), true);
  });

  test('require checks the chain where a root certificate is given', async () => {
    assert.equal(await isEncrypted('require', '127.0.0.1', 'ca.crt'), true);
    await assert.rejects(isEncrypted('require', '127.0.0.1', 'other.crt'), /certificate/);
  });

  test('verify-ca checks the chain, and not the name', async () => {
    assert.equal(await isEncrypted('verify-ca', '127.0.0.1', 'ca.crt'), true);
    await assert.rejects(isEncrypted('verify-ca', 'localhost', 'other.crt'), /certificate/);
    await assert.rejects(isEncrypted('verify-ca', 'localhost', null), /certificate/);
  });

  test('verify-full checks the chain and the name', async () => {
    assert.equal(await isEncrypted('verify-full', 'localhost', 'ca.crt'), true);
    await assert.rejects(isEncrypted('verify-full', 'localhost', 'other.crt'), /certificate/);
    await assert.rejects(isEncrypted('verify-full', 'localhost', null), /certificate/);
  });

  test('verify-full does not take a certificate for localhost where the host is an address', async () => {
    await assert.rejects(isEncrypted('verify-full', '127.0.0.1', 'ca.crt'), /127\.0\.0\.1/);
  });

  test('counts for the pipelines of the request path as well', async () => {
    for (const mode of ['require', 'verify-ca', 'verify-full'] as const) {
      assert.deepEqual(await askPipeline(mode, 'localhost', 'ca.crt'), [
        ['t', 'x'.repeat(100_000)],
      ]);
      await assert.rejects(askPipeline(mode, 'localhost', 'other.crt'), { code: 'CLIENT_SPENT' });
    }
    await assert.rejects(askPipeline('verify-full', '127.0.0.1', 'ca.crt'), {
      code: 'CLIENT_SPENT',
    });
  });

  test('a server without TLS is refused by every mode but disable, and the message says so', async () => {
    await stopServer();
    server = await startServer('off');
    for (const mode of ['require', 'verify-ca', 'verify-full'] as const) {
      await assert.rejects(
        isEncrypted(mode, 'localhost', 'ca.crt'),
        /offers no TLS, and sslmode is .*DB_SSLMODE/,
      );
      await assert.rejects(askPipeline(mode, 'localhost', 'ca.crt'), /offers no TLS/);
    }
    assert.equal(await isEncrypted('disable', 'localhost', null), false);
  });
});

function configOf(sslMode: SslMode, host: string, rootCert: string | null): DatabaseConfig {
  return {
    host,
    port,
    user: 'postgres',
    password: '',
    name: 'postgres',
    sslMode,
    sslRootCert: rootCert === null ? null : path(rootCert),
  };
}

async function askPipeline(mode: SslMode, host: string, rootCert: string): Promise<unknown> {
  const pipeline = openPipeline(configOf(mode, host, rootCert), {
    applicationName: 'tls',
    statementTimeoutMs: 5000,
    onClose: () => undefined,
  });
  const text = "SELECT ssl, repeat('x', 100000) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  return pipeline.run(text, []).finally(() => pipeline.close());
}

async function isEncrypted(
  sslMode: SslMode,
  host: string,
  rootCert: string | null,
): Promise<boolean> {
  return withSession(configOf(sslMode, host, rootCert), 5000, async (sql) => {
    const [row] = await sql<{ ssl: boolean }[]>`
      SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
    return row!.ssl;
  });
}

async function startServer(ssl: 'on' | 'off'): Promise<ChildProcess> {
  const [command, ...args] = [
    ...ordinaryUserPrefix(),
    binaries.postgres,
    ...['-D', path('data'), '-p', String(port), '-k', folder, '-F'],
    ...['-c', 'listen_addresses=localhost', '-c', `ssl=${ssl}`],
    ...['-c', `ssl_cert_file=${path('server.crt')}`, '-c', `ssl_key_file=${path('server.key')}`],
  ];
  const child = spawn(command!, args, { stdio: 'ignore' });
  for (let attempt = 1; ; attempt++) {
    try {
      await isEncrypted('disable', 'localhost', null);
      return child;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}

async function stopServer(): Promise<void> {
  if (server === undefined || server.exitCode !== null) return;
  server.kill('SIGINT');
  await once(server, 'exit');
}

/** Two authorities, and a certificate for localhost that the first one signed. */
function makeCertificates(): void {
  for (const name of ['ca', 'other']) {
    openssl('req', '-x509', ...newKey(name), '-out', path(`${name}.crt`), '-subj', `/CN=${name}`);
  }
  writeFileSync(path('names'), 'subjectAltName=DNS:localhost\n');
  openssl('req', ...newKey('server'), '-out', path('server.csr'), '-subj', '/CN=localhost');
  openssl(
    ...['x509', '-req', '-in', path('server.csr'), '-CA', path('ca.crt'), '-CAkey', path('ca.key')],
    ...['-CAcreateserial', '-extfile', path('names'), '-out', path('server.crt')],
  );
}

function newKey(name: string): string[] {
  return [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    path(`${name}.key`),
  ];
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

function run(program: string, ...args: string[]): void {
  const [command, ...rest] = [...ordinaryUserPrefix(), program, ...args];
  execFileSync(command!, rest, { stdio: 'pipe' });
}

function path(name: string): string {
  return join(folder, name);
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
