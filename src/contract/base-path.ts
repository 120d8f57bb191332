/** HOST_BASE_PATH: where clients reach the service, perhaps below a path that a proxy takes off. */

export interface HostBasePath {
  readonly scheme: string | undefined;
  /** With its port. */
  readonly host: string | undefined;
  /** Begins with `/` and does not end with it; empty: none. */
  readonly base: string;
}

/** `[scheme://]host[:port][/path]`, or `/path` alone. */
const pattern = /^(?:(?:(https?):\/\/)?([^/]+))?((?:\/[^/]+)*)\/?$/;

/** @param text as the configuration has checked it; empty: nobody has said. */
export function readHostBasePath(text: string): HostBasePath {
  const [, scheme, host, base = ''] = pattern.exec(text) ?? [];
  return { scheme, host, base };
}

/** @param links a Link header of ours, without a base. @returns the same behind the proxy. */
export function rebaseLinks(links: string, base: string): string {
  // A query has no `<`: it is percent-encoded.
  return base === '' ? links : links.replaceAll('</', `<${base}/`);
}
