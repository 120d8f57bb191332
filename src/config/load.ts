/**
 * The only reader of the environment. Every fault is reported at once, by name, with what was expected. A
 * value is repeated only where no secret can stand: see forms.ts.
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

/** What is known whether the configuration is valid or not. */
interface Read {
  /** For the logger to mask, also those that a fault is about. */
  readonly secrets: readonly string[];
  /** Variables that look like ours and are none, for a warning: by name only. */
  readonly lookAlikes: readonly string[];
}

export type ConfigResult =
  | (Read & { readonly ok: true; readonly config: Config })
  | (Read & { readonly ok: false; readonly faults: readonly string[] });

type Environment = Readonly<Record<string, string | undefined>>;

/** More is no file of variables. */
const envFileBytesMax = 1024 * 1024;
const allValid = Compile(variables);
const schemas = Object.entries(variables.properties);
const secretNames = schemas.filter(([, schema]) => isSecret(schema)).map(([name]) => name);
/** Every name that is read from the environment. */
export const variableNames: readonly string[] = [
  ...schemas.map(([name]) => name),
  ...secretNames.map(fileVariable),
];
/** Everybody knows them, so they are no secrets, and in every line of a log. */
const defaults = new Set(schemas.map(([, schema]) => defaultOf(schema)));

/**
 * Reads `.env` in the working directory, if there is one, beneath the process's environment:
 * what stands there wins, even when it is empty (`DB_HOST= make run` is the embedded database).
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
    // The faulty ones get their defaults, so that what concerns several variables is checked too.
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
