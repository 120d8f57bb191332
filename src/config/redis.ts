/** The Redis configuration: one server, Sentinels, or a cluster. */
import { X509Certificate } from 'node:crypto';
import type { Given } from './given.ts';
import { readServers, type ServerAddress } from './server-list.ts';
import { readSmallFile } from './small-file.ts';

export type { ServerAddress } from './server-list.ts';

/** The kinds of Redis. */
export type RedisPlace =
  | { readonly form: 'server'; readonly server: ServerAddress }
  | {
      readonly form: 'sentinel';
      readonly sentinels: readonly ServerAddress[];
      readonly masterName: string;
      /** The Sentinels' own credentials; they do not know the server's. */
      readonly username: string;
      readonly password: string;
    }
  | { readonly form: 'cluster'; readonly nodes: readonly ServerAddress[] };

/** Plain data, because front ends receive it by message. */
export interface RedisConfig {
  readonly place: RedisPlace;
  /** Empty: Redis's `default` user. */
  readonly username: string;
  /** Empty: no AUTH. */
  readonly password: string;
  readonly db: number;
  /**
   * `ca` is the PEM text, read at the start, so later front ends need no file. `null`: Node's own.
   */
  readonly tls: { readonly ca: string | null } | null;
  readonly keyPrefix: string;
  readonly ttlSeconds: number;
}

interface RedisVariables {
  readonly REDIS_HOST: string;
  readonly REDIS_PORT: number;
  readonly REDIS_SENTINELS: string;
  readonly REDIS_MASTER_NAME: string;
  readonly REDIS_SENTINEL_USERNAME: string;
  readonly REDIS_SENTINEL_PASSWORD: string;
  readonly REDIS_CLUSTER: string;
  readonly REDIS_USERNAME: string;
  readonly REDIS_PASSWORD: string;
  readonly REDIS_DB: number;
  readonly REDIS_TLS: boolean;
  readonly REDIS_TLS_CA_FILE: string;
  readonly REDIS_KEY_PREFIX: string;
  readonly REDIS_TTL: number;
}

const redisPort = 6379;
const sentinelPort = 26_379;
const caBytesMax = 4 * 1024 * 1024;

/** @returns `null`: not configured, or with a fault. */
export function redisOf(
  values: RedisVariables,
  given: Given,
  faults: string[],
): RedisConfig | null {
  checkTogether(values, given, faults);
  const place = placeOf(values, faults);
  const ca = authoritiesOf(values, faults);
  if (place === null) return null;
  return {
    place,
    username: values.REDIS_USERNAME,
    password: values.REDIS_PASSWORD,
    db: values.REDIS_DB,
    tls: values.REDIS_TLS ? { ca } : null,
    keyPrefix: values.REDIS_KEY_PREFIX,
    ttlSeconds: values.REDIS_TTL,
  };
}

function placeOf(values: RedisVariables, faults: string[]): RedisPlace | null {
  const { REDIS_SENTINELS: sentinels, REDIS_CLUSTER: nodes } = values;
  if (sentinels !== '') {
    return {
      form: 'sentinel',
      sentinels: readServers('REDIS_SENTINELS', sentinels, sentinelPort, faults),
      masterName: values.REDIS_MASTER_NAME,
      username: values.REDIS_SENTINEL_USERNAME,
      password: values.REDIS_SENTINEL_PASSWORD,
    };
  }
  if (nodes !== '') {
    return { form: 'cluster', nodes: readServers('REDIS_CLUSTER', nodes, redisPort, faults) };
  }
  const { REDIS_HOST: host, REDIS_PORT: port } = values;
  return host === '' ? null : { form: 'server', server: { host, port } };
}

/** Checks combinations of variables: what is required together, and what excludes each other. */
function checkTogether(values: RedisVariables, given: Given, faults: string[]): void {
  const isSet = (name: keyof RedisVariables): boolean => given.value(name) !== undefined;
  const listed = (['REDIS_SENTINELS', 'REDIS_CLUSTER'] as const).filter(isSet);
  if (listed.length === 2) {
    faults.push('REDIS_CLUSTER: expected REDIS_CLUSTER or REDIS_SENTINELS, got both');
  }
  for (const name of listed) {
    // If the value comes from a URL, one fault about the URL is enough.
    for (const other of ['REDIS_URL', 'REDIS_HOST', 'REDIS_PORT']) {
      if (!given.isGiven(other)) continue;
      faults.push(`${other}: expected nothing beside ${name}, which says where Redis is`);
    }
  }
  if (isSet('REDIS_SENTINELS') && !isSet('REDIS_MASTER_NAME')) {
    faults.push('REDIS_MASTER_NAME: expected what the Sentinels call the master, got nothing');
  }
  for (const name of [
    'REDIS_MASTER_NAME',
    'REDIS_SENTINEL_USERNAME',
    'REDIS_SENTINEL_PASSWORD',
  ] as const) {
    if (!isSet(name) || isSet('REDIS_SENTINELS')) continue;
    faults.push(`${name}: expected REDIS_SENTINELS, whom it is for, beside it`);
  }
  for (const [name, password] of [
    ['REDIS_USERNAME', 'REDIS_PASSWORD'],
    ['REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_PASSWORD'],
  ] as const) {
    // Without a password there is no AUTH: the user would silently be `default`.
    if (values[name] === '' || values[name] === 'default' || isSet(password)) continue;
    faults.push(`${given.describe(name)}: expected a password (${password}) beside it`);
  }
  if (values.REDIS_CLUSTER !== '' && values.REDIS_DB !== 0) {
    faults.push('REDIS_DB: expected 0 beside REDIS_CLUSTER: a cluster has no other database');
  }
}

function authoritiesOf(values: RedisVariables, faults: string[]): string | null {
  const { REDIS_TLS: isOn, REDIS_TLS_CA_FILE: file } = values;
  if (file === '') return null;
  if (!isOn) {
    faults.push('REDIS_TLS_CA_FILE: expected REDIS_TLS=true, or REDIS_URL=rediss://…, beside it');
    return null;
  }
  const read = readSmallFile(file, caBytesMax);
  if (read.ok && isPem(read.bytes)) return read.bytes.toString('latin1');
  const got = read.ok ? 'another' : read.reason;
  faults.push(`REDIS_TLS_CA_FILE: expected a readable PEM file of trusted authorities, got ${got}`);
  return null;
}

/** Node ignores text that is not PEM, and would then trust no authority. */
function isPem(bytes: Buffer): boolean {
  try {
    new X509Certificate(bytes);
    return true;
  } catch {
    return false;
  }
}
