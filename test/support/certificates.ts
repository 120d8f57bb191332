/** Two certificate authorities, and a certificate for this machine signed by the first one. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { makeFolder } from './service.ts';

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string;
  /** A CA that signed nothing. */
  readonly otherCa: string;
  readonly certificate: string;
  readonly key: string;
  /** Signed too, but for another host name. */
  readonly misnamed: string;
}

const folders = new Set<string>();
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function withoutOpenssl(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return false;
  } catch {
    return 'needs openssl: apt-get install openssl';
  }
}

export function makeCertificates(): Certificates {
  const folder = makeFolder();
  folders.add(folder);
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = (file: string): string[] => [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path(file)],
  ];
  for (const name of ['ca', 'other']) {
    openssl(
      'req',
      '-x509',
      ...newKey(`${name}.key`),
      '-out',
      path(`${name}.crt`),
      '-subj',
      `/CN=${name}`,
    );
  }
  openssl('req', ...newKey('server.key'), '-out', path('server.csr'), '-subj', '/CN=tests');
  for (const [file, names] of [
    ['server.crt', 'DNS:localhost,IP:127.0.0.1'],
    ['misnamed.crt', 'DNS:cache.example'],
  ] as const) {
    writeFileSync(path('names'), `subjectAltName=${names}\n`);
    openssl(
      ...[
        'x509',
        '-req',
        '-in',
        path('server.csr'),
        '-CA',
        path('ca.crt'),
        '-CAkey',
        path('ca.key'),
      ],
      ...['-CAcreateserial', '-extfile', path('names'), '-out', path(file)],
    );
  }
  return {
    ca: path('ca.crt'),
    otherCa: path('other.crt'),
    certificate: path('server.crt'),
    key: path('server.key'),
    misnamed: path('misnamed.crt'),
  };
}
