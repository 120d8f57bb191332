/** The page that lists the profiles. */
import { profileKinds } from './kinds.ts';

/** @param counts of the profiles that have one; empty while another profile is in progress. */
export function indexPage(counts: ReadonlyMap<string, number>): string {
  const rows = profileKinds.map(({ name, defaultSeconds }) => {
    const target = `${name}${defaultSeconds === null ? '?debug=1' : ''}`;
    const count = counts.get(name) ?? '';
    return `<tr><td>${count}</td><td><a href="${target}">${name}</a></td></tr>`;
  });
  const more = ['cmdline', 'symbol', 'trace'].map(
    (name) => `<tr><td></td><td><a href="${name}">${name}</a></td></tr>`,
  );
  const descriptions = [
    ...profileKinds.map(({ name, description }) => [name, description] as const),
    ['cmdline', 'The command line of the primary.'] as const,
    ['symbol', 'Addresses to names: there are none, the profiles have names.'] as const,
    [
      'trace',
      'Trace events of Node and V8 over the given seconds (1), as JSON for ui.perfetto.dev and chrome://tracing; not for go tool trace.',
    ] as const,
  ].map(([name, text]) => `<li><b>${name}:</b> ${text}</li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>/debug/pprof/</title>
<style>td:first-child { text-align: right; padding-right: 1em; }</style>
</head>
<body>
<h1>/debug/pprof/</h1>
<p>One profile is made at a time, over all processes and threads. <code>debug=1</code> shows it as
text; <code>format=cpuprofile</code> (the CPU profile) and <code>format=speedscope</code> are for other tools.</p>
<table>
<thead><tr><th>Count</th><th>Profile</th></tr></thead>
<tbody>
${[...rows, ...more].join('\n')}
</tbody>
</table>
<h2>What they are</h2>
<ul>
${descriptions.join('\n')}
</ul>
</body>
</html>
`;
}
