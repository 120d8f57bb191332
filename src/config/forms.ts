/** The types of variables, and how a fault describes a value. */
import { type TSchema, Type } from '../typebox.ts';

/** The properties of a variable beyond its type and bounds. */
export interface Annotations {
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly expected?: string;
  /** Never shown, masked in the log, and may come from the file named by `<NAME>_FILE`. */
  readonly secret?: boolean;
  /** The default depends on the machine. */
  readonly byMachine?: boolean;
  /** A URL may contain it, so `.env.example` leaves it empty. */
  readonly inUrl?: boolean;
  readonly description?: string;
}

/** Longer text, or text that is no number or word, may be a secret in the wrong variable. */
const shownNumber = /^[+-]?[0-9][0-9.,_]{0,14}([eE][0-9]{1,3})?$/;
const shownWord = /^[a-z]{1,12}([_-][a-z]{1,8})?$/;

export function text(fallback: string, description: string, more: Annotations = {}) {
  return Type.String({
    default: fallback,
    // PostgreSQL's protocol and file paths end at a zero byte.
    pattern: '^[^\\x00]*$',
    expected: 'text',
    description,
    ...more,
  });
}

/** A name or a path. A URL, which may contain a password, is rejected before a message shows it. */
export function word(fallback: string, description: string, more: Annotations = {}) {
  return Type.String({
    default: fallback,
    pattern: '^(?!.*:/)(?!.*:.*@)[^\\x00-\\x1f\\x7f]*$',
    expected: 'a name or a path; a URL belongs into DATABASE_URL or REDIS_URL',
    description,
    ...more,
  });
}

export function integer(
  minimum: number,
  maximum: number,
  fallback: number,
  description: string,
  more: Annotations = {},
) {
  return Type.Integer({ minimum, maximum, default: fallback, description, ...more });
}

export function oneOf<const Values extends readonly string[]>(
  values: Values,
  fallback: Values[number],
  description: string,
  more: Annotations = {},
) {
  return Type.Unsafe<Values[number]>({
    enum: [...values],
    default: fallback,
    description,
    ...more,
  });
}

/** What `Static` does not keep of a schema. */
export function annotationsOf(schema: TSchema): Annotations {
  return schema as Annotations;
}

export function defaultOf(schema: TSchema): unknown {
  return annotationsOf(schema).default;
}

export function isSecret(schema: TSchema): boolean {
  return annotationsOf(schema).secret === true;
}

export function coerce(schema: TSchema, given: string): unknown {
  const { type } = annotationsOf(schema);
  if (type === 'integer' && /^-?\d{1,15}$/.test(given)) return Number(given);
  if (type === 'boolean' && /^(true|1)$/i.test(given)) return true;
  if (type === 'boolean' && /^(false|0)$/i.test(given)) return false;
  return given;
}

export function expectationOf(schema: TSchema): string {
  const { expected, enum: values, type, minimum, maximum } = annotationsOf(schema);
  if (expected !== undefined) return expected;
  if (values !== undefined) return `one of ${values.join(', ')}`;
  if (type === 'integer') return `an integer from ${minimum} to ${maximum}`;
  if (type === 'boolean') return 'true or false';
  return 'text';
}

/**
 * How a fault shows the value. A number or short word is repeated where one is expected, so that
 * the reader sees the error; a secret does not look like that. Otherwise only the length.
 */
export function describeGiven(schema: TSchema, given: string): string {
  const { type, enum: values } = annotationsOf(schema);
  const isShown =
    !isSecret(schema) &&
    ((type === 'integer' && shownNumber.test(given)) ||
      ((type === 'boolean' || values !== undefined) && shownWord.test(given)));
  if (isShown) return JSON.stringify(given);
  const { length } = given;
  return `a text of ${length} ${length === 1 ? 'character' : 'characters'} that is not shown`;
}
