import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { lossCodes, spentError } from '../../src/database/connection-lost.ts';
import { failureReason } from '../../src/database/failure-reason.ts';

const database: DatabaseConfig = {
  host: 'db.example',
  port: 5433,
  user: 'me',
  password: 'hush',
  name: 'mine',
  sslMode: 'require',
  sslRootCert: null,
};

function errorOf(code: string, message = `connect ${code} db.example`): Error {
  return Object.assign(new Error(message), { code, syscall: 'connect' });
}

test('every code after which a connection is not to be used has a reason in words', () => {
  const more = ['EHOSTDOWN', 'ETIMEDOUT', '42501', '55000', '57P05', 'EMFILE', '08006', '08P01'];
  const others = [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'CERT_HAS_EXPIRED',
  ];
  for (const code of [...lossCodes, ...more, ...others]) {
    const reason = failureReason(database, errorOf(code));
    // Words first, then the code to look up.
    assert.match(reason, new RegExp(`^[^(]*[a-z]+ [a-z]+ .*\\((.*, )?${code}\\)$`), code);
    assert.doesNotMatch(reason, /hush/);
  }
});

test('a file of the configuration that is gone is not taken for a socket, nor an odd code for no reason', () => {
  const gone = Object.assign(new Error("ENOENT: no such file or directory, open '/ca.pem'"), {
    code: 'ENOENT',
    syscall: 'open',
  });
  assert.equal(
    failureReason(database, gone),
    "the root certificate cannot be read: ENOENT: no such file or directory, open '/ca.pem' " +
      '(DB_SSLROOTCERT, ENOENT)',
  );
  for (const code of ['EAI_FAIL', 'ENOTDIR', 'ENAMETOOLONG', 'ECONNABORTED', 'EPROTONOSUPPORT']) {
    assert.match(
      failureReason(database, errorOf(code)),
      new RegExp(`^there is no way to db\\.example:5433: .*\\(DB_HOST, DB_PORT, ${code}\\)$`),
    );
  }
});

test('the reason is that of the error that began it', () => {
  const lost = new Error('PostgreSQL is out of reach', { cause: errorOf('ECONNREFUSED') });
  for (const error of [errorOf('ECONNREFUSED'), spentError(errorOf('ECONNREFUSED')), lost]) {
    assert.equal(
      failureReason(database, error),
      'nothing listens at db.example:5433 (DB_HOST, DB_PORT, ECONNREFUSED)',
    );
  }
  assert.match(
    failureReason(database, spentError()),
    /^the connection .* was lost \(CLIENT_SPENT\)$/,
  );
  assert.equal(
    failureReason(database, new Error('no answer within 5 ms')),
    'no answer within 5 ms',
  );
});

test('the variables are those in which the database was named', () => {
  const reasons = {
    TEST_DB: 'TEST_DB_HOST, TEST_DB_PORT',
    DB_DIRECT: 'DB_DIRECT_HOST, DB_DIRECT_PORT',
    DATABASE_URL: 'DATABASE_URL',
    TEST_DATABASE_URL: 'TEST_DATABASE_URL',
  } as const;
  for (const [source, names] of Object.entries(reasons)) {
    const named = { ...database, source: source as keyof typeof reasons };
    const reason = failureReason(named, errorOf('ECONNREFUSED'));
    assert.ok(reason.endsWith(`(${names}, ECONNREFUSED)`), reason);
  }
  const embedded = { ...database, host: '/tmp/x', source: 'embedded' } as const;
  assert.equal(
    failureReason(embedded, errorOf('ENOENT')),
    'there is no socket of a server in /tmp/x (ENOENT)',
  );
});

test('a connection that breaks while it is read is not taken for a file', () => {
  for (const code of ['ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN', 'EPIPE']) {
    const broken = Object.assign(new Error(`read ${code}`), { code, syscall: 'read' });
    assert.doesNotMatch(failureReason(database, broken), /certificate|SSLROOTCERT/, code);
  }
  const folder = Object.assign(new Error('EISDIR: illegal operation on a directory, read'), {
    code: 'EISDIR',
    syscall: 'read',
  });
  assert.match(failureReason(database, folder), /^the root certificate cannot be read/);
});
