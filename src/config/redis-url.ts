/** Parses REDIS_URL, with the supported parameters. */
import { nameParameter, splitUrl } from './connection-url.ts';

/** The parts of the URL; each also has a variable. */
export interface RedisUrl {
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
  readonly password?: string;
  readonly db?: string;
  readonly tls?: string;
}

/** @param hide called with the password, as written and decoded. */
export function readRedisUrl(
  variable: string,
  url: string,
  faults: string[],
  hide: (secret: string) => void,
): RedisUrl {
  const result = splitUrl(url, ['redis', 'rediss']);
  if (!result.ok) {
    faults.push(`${variable}: expected ${result.expected}`);
    return {};
  }
  const { scheme, user, password, encodedPassword, host, port, path, query } = result.parts;
  if (encodedPassword !== undefined) hide(encodedPassword);
  if (password !== undefined) hide(password);
  if (path !== undefined && !isNumber(path)) {
    faults.push(`${variable}: expected the number of a database as its path, as in redis://host/0`);
  }
  for (const [name] of query) {
    faults.push(`${variable}: expected no parameters, got ${nameParameter(name)}`);
  }
  if (host === undefined) faults.push(`${variable}: expected a host`);
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(path === undefined || !isNumber(path) ? {} : { db: String(Number(path)) }),
    tls: String(scheme === 'rediss'),
  };
}

/** The bounds of REDIS_DB are checked later. */
function isNumber(path: string): boolean {
  return /^[0-9]{1,15}$/.test(path);
}
