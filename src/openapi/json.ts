/** A description is plain data: what JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Drops what schemas have beside their JSON. */
export function plainJson(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value));
}
