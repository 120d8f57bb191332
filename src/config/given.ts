/**
 * The value of each variable from its sources: the variable itself, the file of a secret, or a part
 * of a URL. Two different values are a fault, because neither takes precedence.
 */
import { type DatabaseUrl, readDatabaseUrl } from './database-url.ts';
import { type RedisUrl, readRedisUrl } from './redis-url.ts';
import { fileVariable, readSecretFile } from './secret-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Given {
  /** `undefined`: unset or empty. */
  value(name: string): string | undefined;
  isGiven(name: string): boolean;
  /** The value comes from a URL, so it may be part of a password. */
  isPart(name: string): boolean;
  /** For a fault: the name of the variable that the operator has set. */
  describe(name: string): string;
  /** The root certificate in TEST_DATABASE_URL; default: DB_SSLROOTCERT. */
  readonly testRootCert: string | undefined;
  /** Every secret, in each form in which it was given. */
  secrets(): readonly string[];
}

type Parts<Url> = Readonly<Record<keyof Url, string>>;

const databaseParts: Parts<DatabaseUrl> = {
  host: 'DB_HOST',
  port: 'DB_PORT',
  user: 'DB_USER',
  password: 'DB_PASSWORD',
  name: 'DB_NAME',
  sslMode: 'DB_SSLMODE',
  sslRootCert: 'DB_SSLROOTCERT',
};
const testParts: Parts<Omit<DatabaseUrl, 'sslRootCert'>> = {
  host: 'TEST_DB_HOST',
  port: 'TEST_DB_PORT',
  user: 'TEST_DB_USER',
  password: 'TEST_DB_PASSWORD',
  name: 'TEST_DB_NAME',
  sslMode: 'TEST_DB_SSLMODE',
};
const redisParts: Parts<RedisUrl> = {
  host: 'REDIS_HOST',
  port: 'REDIS_PORT',
  user: 'REDIS_USERNAME',
  password: 'REDIS_PASSWORD',
  db: 'REDIS_DB',
  tls: 'REDIS_TLS',
};
const words: Readonly<Record<string, string>> = {
  name: 'database',
  db: 'database',
  tls: 'scheme',
  sslMode: 'sslmode',
  sslRootCert: 'sslrootcert',
};

/** Reads the files of secrets and parses the URLs. */
export function createGiven(
  environment: Environment,
  names: readonly string[],
  secretNames: readonly string[],
  faults: string[],
): Given {
  const values = new Map<string, string>();
  /** For each value from a URL: the variable and the part. */
  const origins = new Map<string, string>();
  const secrets = new Set<string>();
  const hide = (secret: string): void => void secrets.add(secret);

  for (const name of names) take(name, environment[name]);
  for (const name of secretNames) takeFile(name, environment[fileVariable(name)]);
  for (const name of secretNames) if (values.has(name)) hide(values.get(name)!);
  split('DATABASE_URL', readDatabaseUrl, databaseParts);
  const { sslRootCert: testRootCert } = split('TEST_DATABASE_URL', readDatabaseUrl, testParts);
  if (testRootCert !== undefined) agree('TEST_DATABASE_URL', 'DB_SSLROOTCERT', testRootCert);
  split('REDIS_URL', readRedisUrl, redisParts);

  function take(name: string, value: string | undefined): void {
    if (value !== undefined && value !== '') values.set(name, value);
  }

  function takeFile(name: string, path: string | undefined): void {
    if (path === undefined || path === '') return;
    if (values.has(name)) {
      faults.push(`${name}: expected ${name} or ${fileVariable(name)}, got both`);
    } else take(name, readSecretFile(name, path, faults));
  }

  function split<Url extends object>(
    variable: string,
    read: (name: string, url: string, faults: string[], hide: (secret: string) => void) => Url,
    parts: Readonly<Record<string, string>>,
  ): Partial<Url> {
    const url = values.get(variable);
    if (url === undefined) return {};
    const said = read(variable, url, faults, hide);
    for (const [part, value] of Object.entries(said) as [string, string][]) {
      const name = parts[part];
      if (name === undefined || !agree(variable, name, value)) continue;
      values.set(name, value);
      origins.set(name, `${variable}: its ${words[part] ?? part}`);
    }
    return said;
  }

  /** @returns false if the separate variable counts, with the same value. */
  function agree(url: string, name: string, value: string): boolean {
    const own = values.get(name);
    if (own === undefined) return true;
    const isSame = name.endsWith('_HOST')
      ? own.toLowerCase() === value.toLowerCase()
      : name.endsWith('_PORT') || name === 'REDIS_DB'
        ? Number(own) === Number(value)
        : name === 'REDIS_TLS'
          ? /^(true|1)$/i.test(own) === (value === 'true')
          : own === value;
    if (!isSame) {
      faults.push(`${name}: expected what ${url} says, or nothing: the two contradict each other`);
    }
    return false;
  }

  return {
    value: (name) => values.get(name),
    isGiven: (name) =>
      (environment[name] ?? '') !== '' || (environment[fileVariable(name)] ?? '') !== '',
    isPart: (name) => origins.has(name),
    describe: (name) => origins.get(name) ?? name,
    testRootCert,
    secrets: () => [...secrets],
  };
}
