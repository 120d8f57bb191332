/** REDIS_URL, as far as we have what it asks for. */
import { nameParameter, splitUrl } from './connection-url.ts';

/** What the URL says; each is also a variable of its own. */
export interface RedisUrl {
  readonly host?: string;
  readonly port?: string;
  readonly password?: string;
}

/** Redis itself: AUTH without a name is that of this user. */
const defaultUser = 'default';

/** @param hide told of the password, as it stands in the URL and as it is meant. */
export function readRedisUrl(
  variable: string,
  url: string,
  faults: string[],
  hide: (secret: string) => void,
): RedisUrl {
  if (/^rediss:/i.test(url)) {
    faults.push(`${variable}: expected redis://: TLS to Redis (rediss://) is not supported`);
    return {};
  }
  const result = splitUrl(url, ['redis']);
  if (!result.ok) {
    faults.push(`${variable}: expected ${result.expected}`);
    return {};
  }
  const { user, password, encodedPassword, host, port, path, query } = result.parts;
  if (encodedPassword !== undefined) hide(encodedPassword);
  if (password !== undefined) hide(password);
  if (user !== undefined && user !== defaultUser) {
    faults.push(`${variable}: expected no user name, as in redis://:password@host`);
  }
  if (path !== undefined && path !== '0') {
    faults.push(`${variable}: expected the database 0, as in redis://host or redis://host/0`);
  }
  for (const [name] of query) {
    faults.push(`${variable}: expected no parameters, got ${nameParameter(name)}`);
  }
  if (host === undefined) faults.push(`${variable}: expected a host`);
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(password === undefined ? {} : { password }),
  };
}
