/** Where the API is, for the description's `servers`. */
import { readHostBasePath } from '../../contract/base-path.ts';

export interface ServerEntry {
  readonly url: string;
  readonly description: string;
  readonly variables?: Readonly<
    Record<string, { readonly default: string; readonly enum: readonly string[] }>
  >;
}

/**
 * First the host that the description itself came from: right wherever the service is reached,
 * through a forwarded port too. Then the address that clients are given.
 * @param hostBasePath as the configuration has checked it; empty: nobody has said.
 */
export function serversFor(hostBasePath: string): ServerEntry[] {
  const { scheme, host, base } = readHostBasePath(hostBasePath);
  const here: ServerEntry = {
    url: base === '' ? '/' : base,
    description: 'The host that this description came from',
  };
  if (host === undefined) return [here];
  const description = 'HOST_BASE_PATH';
  if (scheme !== undefined) return [here, { url: `${scheme}://${host}${base}`, description }];
  return [
    here,
    {
      url: `{scheme}://${host}${base}`,
      description,
      // The service itself speaks HTTP; what stands before it may not.
      variables: { scheme: { default: 'http', enum: ['http', 'https'] } },
    },
  ];
}

/** Origins that a page may ask, as sources of a Content-Security-Policy. */
export function originsOfServers(servers: readonly ServerEntry[]): string[] {
  return servers.flatMap(({ url, variables }) => {
    if (url.startsWith('/')) return [];
    const schemes = variables?.['scheme']?.enum ?? [url.slice(0, url.indexOf('://'))];
    const host = url.slice(url.indexOf('://') + 3).split('/')[0]!;
    return schemes.map((scheme) => `${scheme}://${host}`);
  });
}
