/** A page that the service serves beside the API. */

export interface Page {
  readonly contentType: string;
  /** What of the request decides which page it is, and in which form: the value of Vary. */
  readonly vary: string;
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

/** @param accept the header. @returns the page of a path; `undefined`: there is none. */
export type FindPage = (path: string, accept: string) => Page | undefined;
