/** Parses a connection URL (RFC 3986). Its faults never repeat a part of the URL. */

/** The parts of the URL; `undefined`: absent. Decoded, except `encodedPassword`. */
export interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly encodedPassword: string | undefined;
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly path: string | undefined;
  readonly query: readonly (readonly [name: string, value: string])[];
}

export type UrlResult =
  | { readonly ok: true; readonly parts: UrlParts }
  /** What was expected. */
  | { readonly ok: false; readonly expected: string };

const form = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const authorityForm = /^(?:([^@:]*)(?::([^@]*))?@)?(?:\[([^\][@]*)\]|([^:@[\]]*))(?::([^:@]*))?$/;
/** Other text may be part of a password with an unencoded `?`. */
const parameterName = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;

const encode = 'with @ : / ? # and % of its parts written as %40 %3A %2F %3F %23 and %25';

/** Rejects a password with an unencoded delimiter: its rest would be taken for another part. */
export function splitUrl(url: string, schemes: readonly string[]): UrlResult {
  const example = `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0020\u007f]/.test(url)) return refuse(`${example}, without spaces`);
  const [, scheme = '', authority = '', path, query] = form.exec(url) ?? [];
  if (scheme === '') return refuse(`${example}, ${encode}`);
  if (!schemes.includes(scheme.toLowerCase())) return refuse(example);
  if (authority.includes(',')) return refuse('one host: several are not supported');
  const match = authorityForm.exec(authority);
  // An @ after the authority belongs to a password with an unencoded delimiter.
  if (match === null || `${path ?? ''}${query ?? ''}`.includes('@')) {
    return refuse(`user:password@host:port, ${encode}`);
  }
  const [, user, password, address, name, port] = match;
  try {
    const parts: UrlParts = {
      scheme: scheme.toLowerCase(),
      user: decodePart(user),
      password: decodePart(password),
      encodedPassword: password,
      host: decodePart(address ?? name),
      port: decodePart(port),
      path: decodePart(path),
      query: parametersOf(query),
    };
    return { ok: true, parts };
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return refuse(`valid percent-encoding, ${encode}`);
  }
}

/** The name of a parameter for a fault, unless it may be part of a secret. */
export function nameParameter(name: string): string {
  return parameterName.test(name) ? `the parameter ${name}` : 'one of its parameters';
}

function refuse(expected: string): UrlResult {
  return { ok: false, expected };
}

/** An empty part counts as absent. @throws URIError */
function decodePart(part: string | undefined): string | undefined {
  return part === undefined || part === '' ? undefined : decodeURIComponent(part);
}

/** @throws URIError */
function parametersOf(query: string | undefined): [string, string][] {
  if (query === undefined || query === '') return [];
  return query.split('&').map((pair) => {
    const [name = '', ...value] = pair.split('=');
    return [decodeURIComponent(name), decodeURIComponent(value.join('='))];
  });
}
