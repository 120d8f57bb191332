/** Generates values that match the contract's schemas, and values that almost do. */
import fc from 'fast-check';
import { isText } from '../../src/contract/values.ts';
import type { TSchema } from '../../src/typebox.ts';

interface Keywords {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly TSchema[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
}

/** All values match the schema. Supports only the keywords of the contract. */
export function fitting(schema: TSchema): fc.Arbitrary<unknown> {
  const keywords = schema as Keywords;
  if (keywords.anyOf !== undefined) return fc.oneof(...keywords.anyOf.map(fitting));
  if (keywords.enum !== undefined) return fc.constantFrom(...keywords.enum);
  switch (keywords.type) {
    case 'string':
      return textOf(keywords);
    case 'integer':
      return fc.maxSafeInteger().map((number) => clamp(number, keywords));
    case 'null':
      return fc.constant(null);
    case 'object':
      return objectOf(keywords);
    case undefined:
      return fc.jsonValue({ maxDepth: 3 });
    default:
      throw new Error(`no values are made of the type ${keywords.type}`);
  }
}

/** Lengths count code points, as JSON Schema does. */
function textOf({ minLength = 0, maxLength = 1000, pattern }: Keywords): fc.Arbitrary<string> {
  const isFit = (text: string): boolean =>
    isText(text) && (pattern === undefined || new RegExp(pattern).test(text));
  const short = fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, 40) });
  const longest = fc
    .constantFrom('x', 'ä', '🎈', '"', '\\')
    .map((letter) => letter.repeat(maxLength));
  return fc
    .oneof({ weight: 20, arbitrary: short }, { weight: 1, arbitrary: longest })
    .filter(isFit);
}

function clamp(number: number, { minimum = 0, maximum = number }: Keywords): number {
  const distance = maximum - minimum + 1;
  return minimum + (Math.abs(number) % (Number.isSafeInteger(distance) ? distance : maximum));
}

function objectOf({ properties = {}, required = [] }: Keywords): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, fitting(schema)]),
  );
  return fc.record(values, { requiredKeys: [...required] });
}

/** An object of the schema with one change. It may still match by chance. */
export function almost(schema: TSchema): fc.Arbitrary<unknown> {
  const { properties = {} } = schema as Keywords;
  const name = fc.oneof(fc.constantFrom(...Object.keys(properties)), fc.string());
  return fc
    .tuple(fitting(schema), name, fc.oneof(fc.jsonValue(), fc.constant(undefined)))
    .map(([value, field, other]) => {
      const copy = { ...(value as Record<string, unknown>) };
      if (other === undefined) delete copy[field];
      else Object.defineProperty(copy, field, { value: other, enumerable: true });
      return copy;
    });
}
