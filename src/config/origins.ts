/**
 * CORS_ORIGINS, in the form that browsers send (RFC 6454, section 7): no other form would match.
 */

export function originsOf(given: string, faults: string[]): string[] {
  if (given === '') return [];
  const listed = given.split(',').map((origin) => origin.trim());
  const origins = [...new Set(listed)];
  if (origins.length === 1 && origins[0] === '*') return origins;
  for (const origin of origins.filter((candidate) => !isOrigin(candidate))) {
    // Names the position only: the value may contain a password.
    faults.push(
      'CORS_ORIGINS: expected scheme://host or scheme://host:port, in lower case, without path or ' +
        `default port, with commas between; or * alone; got another text as number ${listed.indexOf(origin) + 1} of ${listed.length}`,
    );
  }
  return origins;
}

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?$/.test(text)) {
    return false;
  }
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  return (protocol !== 'https:' && protocol !== 'http:') || origin === text;
}
