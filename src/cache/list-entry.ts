/** The response to a list request, as the caches keep it. */
export interface ListEntry {
  /** The generation of the snapshot in which the list was read. */
  readonly generation: number;
  /** The value of the Link header. */
  readonly links: string;
  /** The value of the ETag header. */
  readonly etag: string;
  readonly body: Uint8Array;
}
