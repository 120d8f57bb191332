/** A page of the administration: metrics or a profile. */
export interface AdminRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
}

export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param signal aborted when the client disconnects. */
export type AdminPage = (request: AdminRequest, signal: AbortSignal) => Promise<AdminAnswer>;
