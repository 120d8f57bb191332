/** The `servers` of the API description. */
import { readHostBasePath } from '../../contract/base-path.ts';

export interface ServerEntry {
  readonly url: string;
  readonly description: string;
  readonly variables?: Readonly<
    Record<string, { readonly default: string; readonly enum: readonly string[] }>
  >;
}

/**
 * First the host from which the description was loaded, which also works through a forwarded port.
 * Then the configured address.
 * @param hostBasePath checked by the configuration; empty: not configured.
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
      // The service speaks HTTP; a proxy in front may speak HTTPS.
      variables: { scheme: { default: 'http', enum: ['http', 'https'] } },
    },
  ];
}

/** The origins of the servers, as sources of a Content-Security-Policy. */
export function originsOfServers(servers: readonly ServerEntry[]): string[] {
  return servers.flatMap(({ url, variables }) => {
    if (url.startsWith('/')) return [];
    const schemes = variables?.['scheme']?.enum ?? [url.slice(0, url.indexOf('://'))];
    const host = url.slice(url.indexOf('://') + 3).split('/')[0]!;
    return schemes.map((scheme) => `${scheme}://${host}`);
  });
}
