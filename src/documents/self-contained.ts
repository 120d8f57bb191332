/** What the reference still asks the network for when its program is inside. */

const nothing = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";
/** The logo of the page's makers, beside their name. */
const logo = /https:\/\/cdn\.redoc\.ly\/[\w./-]+\.svg/g;

/** @param html as Redocly makes it. Throws where that has changed. */
export function withoutRequests(html: string): string {
  const expected = ['<head>', '"disableTelemetry":true'];
  if (html.search(logo) < 0 || !expected.every((text) => html.includes(text))) {
    throw new Error('the page is not made as it was: see src/documents/self-contained.ts');
  }
  return (
    html
      .replaceAll(logo, nothing)
      // Browsers ask for an icon by themselves.
      .replace('<head>', '<head>\n  <link rel="icon" href="data:," />')
  );
}
