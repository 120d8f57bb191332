/**
 * Parses DATABASE_URL as libpq does (PostgreSQL manual, "Connection URIs"), with the supported
 * parameters.
 */
import { nameParameter, splitUrl } from './connection-url.ts';

/** The parts of the URL; each also has a variable. */
export interface DatabaseUrl {
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
  readonly password?: string;
  readonly name?: string;
  readonly sslMode?: string;
  readonly sslRootCert?: string;
}

/** Parameters that repeat a part of the URL, or add to it. */
const parameters: Readonly<Record<string, keyof DatabaseUrl>> = {
  host: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  dbname: 'name',
  sslmode: 'sslMode',
  sslrootcert: 'sslRootCert',
};

/**
 * @param hide called with the password as written in the URL, if it differs from the decoded one.
 */
export function readDatabaseUrl(
  variable: string,
  url: string,
  faults: string[],
  hide: (secret: string) => void,
): DatabaseUrl {
  const result = splitUrl(url, ['postgres', 'postgresql']);
  if (!result.ok) {
    faults.push(`${variable}: expected ${result.expected}`);
    return {};
  }
  const { user, password, encodedPassword, host, port, path, query } = result.parts;
  if (encodedPassword !== undefined) hide(encodedPassword);
  const said = new Map<keyof DatabaseUrl, string>();
  for (const [part, value] of Object.entries({ user, password, host, port, name: path })) {
    if (value !== undefined) said.set(part as keyof DatabaseUrl, value);
  }
  for (const [name, value] of query) {
    const part = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (part === undefined) {
      const known = Object.keys(parameters).join(', ');
      faults.push(
        `${variable}: expected no other parameters than ${known}; got ${nameParameter(name)}`,
      );
    } else if (said.has(part)) {
      faults.push(`${variable}: expected each part once, got ${nameParameter(name)} and another`);
    } else if (value !== '') said.set(part, value);
  }
  if ((said.get('host') ?? '').includes(',') || (said.get('port') ?? '').includes(',')) {
    faults.push(`${variable}: expected one host: several are not supported`);
    said.delete('host');
    said.delete('port');
  } else if (!said.has('host')) {
    faults.push(`${variable}: expected a host, or a socket folder as ?host=/path`);
  }
  const secret = said.get('password');
  if (secret !== undefined) hide(secret);
  return Object.fromEntries(said);
}
