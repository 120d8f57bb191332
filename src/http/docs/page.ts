/** A page that the service serves besides the API. */

export interface Page {
  readonly contentType: string;
  /** The value of Vary: the request headers that select the variant. */
  readonly vary: string;
  /** The value of Content-Security-Policy. */
  readonly policy: string;
  /** Concurrent requests share one read. */
  content(encoding: Encoding): Promise<Content>;
}

export interface Content {
  readonly bytes: Uint8Array;
  /** Strong, so each encoding has its own. */
  readonly etag: string;
}

export type Encoding = 'br' | 'gzip' | 'identity';

/** @param accept the Accept header. @returns the page of a path; `undefined`: none. */
export type FindPage = (path: string, accept: string) => Page | undefined;
