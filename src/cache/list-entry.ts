/** A finished answer of a list, as it is kept and sent. */
export interface ListEntry {
  /** Of the snapshot that it was read in. */
  readonly generation: number;
  /** Value of the Link header. */
  readonly links: string;
  /** Value of the ETag header. */
  readonly etag: string;
  readonly body: Uint8Array;
}

/** Strong, as RFC 9110 section 8.8.3 writes it. @param tag stands for the query. */
export function listEtag(generation: number, tag: string): string {
  return `"${generation}-${tag}"`;
}
