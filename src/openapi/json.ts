/** Plain JSON data, which a description consists of. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Drops the parts of a schema that JSON cannot hold. */
export function plainJson(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value));
}
