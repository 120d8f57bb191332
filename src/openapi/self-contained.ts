/** Removes the network requests from the self-contained reference page. */

/** The name after "API docs by". */
const name =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='48' height='14'%3E" +
  "%3Ctext y='11' font-family='sans-serif' font-size='11' fill='gray'%3ERedocly%3C/text%3E%3C/svg%3E";
/** The logo's address. */
const logo = /https:\/\/cdn\.redoc\.ly\/[\w./-]+\.svg/g;

/** @param html Redocly's output. Throws if its structure has changed. */
export function withoutRequests(html: string): string {
  const expected = ['<head>', '"disableTelemetry":true'];
  if (html.search(logo) < 0 || !expected.every((text) => html.includes(text))) {
    throw new Error('the structure of the page has changed: see src/openapi/self-contained.ts');
  }
  return (
    html
      .replaceAll(logo, name)
      // Browsers request an icon unless the page has one.
      .replace('<head>', '<head>\n  <link rel="icon" href="data:," />')
  );
}
