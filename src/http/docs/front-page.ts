/** The page at `/`: links to the documents, as HTML for browsers and otherwise as JSON. */
import { commonOfPages } from './policies.ts';

interface Way {
  /** The key in JSON. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

const ways: readonly Way[] = [
  { name: 'docs', path: '/docs', text: 'The reference to read' },
  { name: 'swagger', path: '/swagger/index.html', text: 'The reference to try out' },
  { name: 'openapi', path: '/openapi.json', text: 'The description, OpenAPI 3.1' },
  { name: 'tasks', path: '/api/tasks', text: 'The tasks' },
  { name: 'livez', path: '/livez', text: 'Does the process live?' },
  { name: 'readyz', path: '/readyz', text: 'Can it serve?' },
];

/** No scripts and no loads. An inline icon keeps browsers from requesting one. */
export const frontPagePolicy = `default-src 'none'; ${commonOfPages}`;

/** @param base the path that a proxy strips; empty: none. */
export function frontPageJson(base: string): string {
  const data = Object.fromEntries(ways.map(({ name, path }) => [name, base + path]));
  return JSON.stringify({ data, meta: null, message: 'success', errors: [], status: 'ok' });
}

/** @param base only letters, digits, `/`, `-`, `.`, `_` and `~`, so HTML needs no escaping. */
export function frontPageHtml(base: string): string {
  const links = ways.map(
    ({ path, text }) => `    <li><a href="${base}${path}">${base}${path}</a> ${text}</li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Task manager API</title>
  <link rel="icon" href="data:,">
  <style>
    body { font: 1rem/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }
    :root { color-scheme: light dark }
  </style>
</head>
<body>
  <h1>Task manager API</h1>
  <ul>
${links.join('\n')}
  </ul>
</body>
</html>
`;
}
