/**
 * The only reader of the environment. It reports all faults at once, each with the name and what was
 * expected. It repeats a value only if that cannot be a secret (forms.ts).
 */
import { parseEnv } from 'node:util';
import { Compile } from '../typebox.ts';
import { assemble } from './assemble.ts';
import type { Config, Purpose } from './config.ts';
import { coerce, defaultOf, describeGiven, expectationOf, isSecret } from './forms.ts';
import { createGiven } from './given.ts';
import { databaseNames, describeLookAlike, findLookAlikes } from './look-alikes.ts';
import { fileVariable } from './secret-file.ts';
import { readSmallFile } from './small-file.ts';
import { variables } from './variables.ts';

/** Known for a valid and for an invalid configuration. */
interface Read {
  /** The logger masks them, including those that have a fault. */
  readonly secrets: readonly string[];
  /** Misspelled variables, for a warning: names only. */
  readonly lookAlikes: readonly string[];
}

export type ConfigResult =
  | (Read & { readonly ok: true; readonly config: Config })
  | (Read & { readonly ok: false; readonly faults: readonly string[] });

type Environment = Readonly<Record<string, string | undefined>>;

/** A larger file is not a file of variables. */
const envFileBytesMax = 1024 * 1024;
const allValid = Compile(variables);
const schemas = Object.entries(variables.properties);
const secretNames = schemas.filter(([, schema]) => isSecret(schema)).map(([name]) => name);
/** Every name that is read from the environment. */
export const variableNames: readonly string[] = [
  ...schemas.map(([name]) => name),
  ...secretNames.map(fileVariable),
];
/** Public, so not secret. Masking them would garble every line of the log. */
const defaults = new Set(schemas.map(([, schema]) => defaultOf(schema)));

/**
 * Reads the process's environment, and `.env` in the working directory if it exists. The environment
 * wins, even with an empty value (`DB_HOST= make run` uses the embedded database).
 */
export function loadConfig(purpose?: Purpose): ConfigResult {
  const file = readSmallFile('.env', envFileBytesMax);
  if (file.ok) {
    return parseConfig({ ...parseEnv(file.bytes.toString('utf8')), ...process.env }, purpose);
  }
  const result = parseConfig(process.env, purpose);
  if (file.reason === 'ENOENT') return result;
  const fault = `.env: expected a readable file, got ${file.reason}`;
  const { secrets, lookAlikes } = result;
  return { ok: false, faults: [fault, ...(result.ok ? [] : result.faults)], secrets, lookAlikes };
}

/** An empty variable counts as unset. */
export function parseConfig(environment: Environment, purpose: Purpose = 'tool'): ConfigResult {
  const faults: string[] = [];
  const given = createGiven(
    environment,
    schemas.map(([name]) => name),
    secretNames,
    faults,
  );
  const values: Record<string, unknown> = {};
  for (const [name, schema] of schemas) {
    const text = given.value(name);
    const value = text === undefined ? defaultOf(schema) : coerce(schema, text);
    if (value !== undefined) values[name] = value;
  }

  if (!allValid.Check(values)) {
    // Faulty variables get their defaults, so that the rules for several variables are checked too.
    for (const [name, schema] of schemas) {
      if (!(name in values) || Compile(schema).Check(values[name])) continue;
      const got = given.isPart(name) ? '' : `, got ${describeGiven(schema, String(values[name]))}`;
      faults.push(`${given.describe(name)}: expected ${expectationOf(schema)}${got}`);
      values[name] = defaultOf(schema);
      if (values[name] === undefined) delete values[name];
    }
  }
  if (!allValid.Check(values)) throw new Error('a default contradicts its own schema');

  const names = Object.keys(environment).filter((name) => (environment[name] ?? '') !== '');
  const lookAlikes = findLookAlikes(names, new Set(variableNames));
  const config = assemble(values, given, purpose, faults, databaseNames(names, lookAlikes));
  const read: Read = {
    secrets: given.secrets().filter((secret) => !defaults.has(secret)),
    lookAlikes: lookAlikes.map(describeLookAlike),
  };
  return config === undefined ? { ok: false, faults, ...read } : { ok: true, config, ...read };
}
