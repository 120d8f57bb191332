/** Explains why a database cannot be used, and which variable to change. */

import { messageOf } from '../base/error-message.ts';
import type { DatabaseConfig } from '../config/config.ts';
import { errorCode, spentCode } from './connection-lost.ts';
import { isUnixSocket } from './socket.ts';

/** The original error in a chain of causes; the outer ones tell where it happened. */
export function innermost(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = errorCode(error);
  return cause === undefined || (code !== undefined && code !== spentCode)
    ? error
    : innermost(cause);
}

/** The code of the original error: an SQLSTATE, the driver's or the system's. */
export function innermostCode(error: unknown): string | undefined {
  return errorCode(innermost(error));
}

/** One sentence, without values of clients. An unknown code stands for itself. */
export function failureReason(database: DatabaseConfig, thrown: unknown): string {
  const error = innermost(thrown);
  const code = errorCode(error);
  if (code === undefined) return messageOf(error);
  const { words, variables = [] } = isOfFile(error)
    ? { words: `the root certificate cannot be read: ${messageOf(error)}`, variables: rootCert }
    : explain(database, code, messageOf(error), isOfSystem(error));
  const names = namesOf(database, variables);
  return `${words} (${[...names, code].join(', ')})`;
}

interface Explanation {
  readonly words: string;
  /** The variables of the configuration that may be wrong. */
  readonly variables?: readonly Variable[];
}

const rootCert = ['SSLROOTCERT'] as const;

type Variable = 'HOST' | 'PORT' | 'USER' | 'PASSWORD' | 'NAME' | 'SSLMODE' | 'SSLROOTCERT';

function explain(
  database: DatabaseConfig,
  code: string,
  message: string,
  isOfSystem: boolean,
): Explanation {
  const { host, user, name, sslMode } = database;
  const place = placeOf(database);
  const address = { variables: ['HOST', 'PORT'] } as const;
  switch (code) {
    case 'ECONNREFUSED':
      return {
        words: isOfSystem ? `nothing listens at ${place}` : message,
        ...address,
      };
    case 'ENOENT':
      return { words: `there is no socket of a server in ${host}`, ...address };
    case 'EACCES':
    case 'EPERM':
      return { words: `this user may not connect to ${place}`, ...address };
    case 'ENOTFOUND':
      return { words: `no host is called ${host}`, variables: ['HOST'] };
    case 'EAI_AGAIN':
      return { words: `the name service does not answer for ${host}`, variables: ['HOST'] };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return { words: `there is no way to ${place} in the network`, ...address };
    case 'ETIMEDOUT':
      return { words: `${place} does not answer`, ...address };
    case 'CONNECT_TIMEOUT':
      // The driver's message of a timeout is clear enough.
      return {
        words: message.includes(code) ? `${place} does not answer in time` : message,
        ...address,
      };
    case 'TLS_REFUSED':
      return {
        words: `the server offers no TLS, and sslmode is ${sslMode}`,
        variables: ['SSLMODE'],
      };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'CONNECTION_CLOSED':
    case 'CONNECTION_DESTROYED':
    case 'CONNECTION_ENDED':
    case 'ERR_STREAM_DESTROYED':
    case spentCode:
      return { words: `the connection to ${place} was lost` };
    case 'UNREADABLE_TIME':
      return { words: 'the session has settings that are not ours' };
    case 'EMFILE':
    case 'ENFILE':
      return { words: 'this process may open no more files: raise RLIMIT_NOFILE' };
    case '28P01':
      return {
        // When a password was sent, a server does not tell whether the role exists.
        words: `the role "${user}" or its password is refused for the database "${name}": ${message}`,
        variables: ['USER', 'PASSWORD'],
      };
    case '28000':
      return {
        words:
          `the role "${user}" is refused for the database "${name}": ${message}` +
          ' (see pg_hba.conf, if it exists and may log in)',
        variables: ['USER', 'NAME', 'SSLMODE'],
      };
    case '3D000':
      return { words: `there is no database "${name}"`, variables: ['NAME'] };
    case '42501':
      return {
        words:
          `the role "${user}" may not connect to the database "${name}": have an administrator run ` +
          `GRANT CONNECT ON DATABASE ${quoted(name)} TO ${quoted(user)}`,
        variables: ['USER', 'NAME'],
      };
    case '55000':
      return {
        words: `the database "${name}" takes no connections: ${message}`,
        variables: ['NAME'],
      };
    case '53300':
      return {
        words:
          'every connection is taken that the server, the database or the role may have: ' +
          `${message} (raise max_connections or CONNECTION LIMIT, or lower DB_CONNECTIONS)`,
        variables: ['USER', 'NAME'],
      };
    case '57P01':
      return { words: 'an administrator ended the session, or the server stops' };
    case '57P02':
      return { words: 'the server has crashed, and recovers' };
    case '57P03':
      return { words: `the server is there, and takes no connections yet: ${message}` };
    case '57P05':
      return { words: 'the server ended an idle session' };
    default:
      if (isOfTls(code)) {
        return {
          words: `the certificate of ${place} is not accepted: ${message}`,
          variables: ['SSLMODE', 'SSLROOTCERT'],
        };
      }
      // PgBouncer has one code for an unknown role, database and parameter.
      if (code.startsWith('08')) {
        return { words: `the server or a pooler refuses: ${message}`, variables: ['USER', 'NAME'] };
      }
      if (isOfSystem) return { words: `there is no way to ${place}: ${message}`, ...address };
      return { words: code.startsWith('53') ? `the server lacks something: ${message}` : message };
  }
}

export function placeOf({ host, port }: DatabaseConfig): string {
  if (isUnixSocket(host)) return `${host}/.s.PGSQL.${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The variables' names as the operator set them. The embedded database has none. */
function namesOf({ source = 'DB' }: DatabaseConfig, variables: readonly Variable[]): string[] {
  switch (source) {
    case 'embedded':
      return [];
    case 'DB':
    case 'TEST_DB':
      // Both connections share one root certificate.
      return variables.map((name) =>
        name === 'SSLROOTCERT' ? 'DB_SSLROOTCERT' : `${source}_${name}`,
      );
    case 'DB_DIRECT':
      return variables.map((name) =>
        name === 'HOST' || name === 'PORT' ? `DB_DIRECT_${name}` : `DB_${name}`,
      );
    default:
      return variables.length === 0 ? [] : [source];
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An errno of the system, not an equivalent code of the driver or this service. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || 'errors' in error);
}

/** An error of a file that is read before connecting. Sockets are read too, and fail with other codes. */
function isOfFile(error: unknown): boolean {
  const syscall = syscallOf(error);
  if (syscall === 'read') return ['EISDIR', 'EIO'].includes(errorCode(error) ?? '');
  return syscall === 'open' || syscall === 'stat';
}

/** The system could not connect to the server. */
export function isOfConnecting(error: unknown): boolean {
  return ['connect', 'getaddrinfo'].includes(syscallOf(error) ?? '');
}

function syscallOf(error: unknown): string | undefined {
  const syscall: unknown = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  return typeof syscall === 'string' ? syscall : undefined;
}

/** Codes of Node and OpenSSL for an invalid certificate chain or host name. */
function isOfTls(code: string): boolean {
  return /CERT|SIGNATURE|ISSUER|^ERR_(SSL|TLS)_|^EPROTO$/.test(code);
}
