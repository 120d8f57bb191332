/** CORS_HEADERS: names of headers (RFC 9110, section 5.1). */

const token = /^[!#$%&'+.^_`|~0-9A-Za-z-]+$/;

/** @returns each name once, ignoring case. */
export function headerNamesOf(given: string, faults: string[]): string[] {
  if (given === '') return [];
  const listed = given.split(',').map((name) => name.trim());
  const wrong = listed.findIndex((name) => !token.test(name));
  if (wrong >= 0) {
    faults.push(
      'CORS_HEADERS: expected names of headers with commas between, and no *, which browsers do not ' +
        `take for Authorization; got another text as number ${wrong + 1} of ${listed.length}`,
    );
  }
  return [...new Map(listed.map((name) => [name.toLowerCase(), name])).values()];
}
