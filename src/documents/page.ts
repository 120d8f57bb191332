/** A page that the service serves beside the API. */

export interface Page {
  readonly contentType: string;
  /** The value of Content-Security-Policy. */
  readonly policy: string;
  /** Whoever asks for the same at once shares one read. */
  content(encoding: Encoding): Promise<Content>;
}

export interface Content {
  readonly bytes: Uint8Array;
  /** Strong, so another one for each encoding. */
  readonly etag: string;
}

export type Encoding = 'br' | 'gzip' | 'identity';

/** @returns the page of a path; `undefined`: there is none. */
export type FindPage = (path: string) => Page | undefined;
