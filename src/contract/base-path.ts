/**
 * HOST_BASE_PATH: the address of the service for clients, perhaps with a path that a proxy strips.
 */

export interface HostBasePath {
  readonly scheme: string | undefined;
  /** The host and its port. */
  readonly host: string | undefined;
  /** Starts with `/` and does not end with it; empty: none. */
  readonly base: string;
}

/** `[scheme://]host[:port][/path]`, or `/path` alone. */
const pattern = /^(?:(?:(https?):\/\/)?([^/]+))?((?:\/[^/]+)*)\/?$/;

/** @param text checked by the configuration; empty: not configured. */
export function readHostBasePath(text: string): HostBasePath {
  const [, scheme, host, base = ''] = pattern.exec(text) ?? [];
  return { scheme, host, base };
}

/** @param links a Link header without a base path. @returns the links with it, for clients. */
export function rebaseLinks(links: string, base: string): string {
  // `<` starts each URL: in a query it is percent-encoded.
  return base === '' ? links : links.replaceAll('</', `<${base}/`);
}
