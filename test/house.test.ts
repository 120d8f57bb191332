/**
 * The checkable rules of the project's style. Each is a row of a table; each failure names the
 * file, the line and the rule.
 */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { variables } from '../src/config/variables.ts';
import { problemCodes } from '../src/contract/problems.ts';
import { clientTypes } from '../src/openapi/client-types.ts';
import { createOpenApi } from '../src/openapi/openapi.ts';
import { edgesOf, findCircles } from './support/circles.ts';
import { configurationPage } from './support/configuration-page.ts';
import { envExample } from './support/env-example.ts';
import { type Import, listFiles, readSource, root, type Source } from './support/house.ts';
import { localTarget, type Reference, readMarkdown } from './support/markdown.ts';

const files = listFiles();
const sources = files.filter((file) => /^(src|workers)\/.*\.ts$/.test(file)).map(readSource);
const typescript = files.filter((file) => file.endsWith('.ts')).map(readSource);

/**
 * Allowed imports: main ▸ primary, front-end ▸ http, cache, batching ▸ telemetry ▸ contract;
 * front-end and the worker's entry ▸ tasks ▸ database ▸ config, contract. The first matching row
 * applies to a file; a file may always import files of the same row.
 */
const directions: readonly { files: RegExp; imports: RegExp; rule: string }[] = [
  {
    files: /^src\/main\.ts$/,
    imports: /^src\/(primary\/become-primary|front-end\/become-front-end)\.ts$/,
    rule: 'main becomes the primary or a front end',
  },
  {
    files: /^src\/database\/cli\.ts$/,
    imports: /^src\/(config\/|database\/|embedded\/|telemetry\/(log|uncaught)\.ts$)/,
    rule: 'the commands for the database are a program of their own',
  },
  {
    files: /^src\/primary\//,
    imports:
      /^src\/(config\/|ipc\/|admin\/|embedded\/|database\/|telemetry\/|contract\/limits\.ts$)/,
    rule: 'the primary answers no request of the API',
  },
  {
    files: /^src\/front-end\//,
    imports:
      /^(src\/(config|ipc|http|admin|batching|cache|telemetry|contract)\/|src\/tasks\/(executor|lanes)\.ts$|workers\/task\.worker\.ts$)/,
    rule: 'a front end reaches the database through the executor and the cache only',
  },
  {
    files: /^workers\//,
    imports:
      /^src\/(tasks\/(executor|lanes)|batching\/(frame-head|frames|list-frames|pool)|contract\/endpoints|telemetry\/.*)\.ts$/,
    rule: 'the entry of a worker thread has an executor and counters',
  },
  {
    files: /^src\/ipc\//,
    imports: /^src\/(config\/|admin\/|telemetry\/)/,
    rule: 'processes know each other by messages only',
  },
  {
    files: /^src\/http\/docs\//,
    imports: /^src\/contract\//,
    rule: 'packed pages are served by what knows nothing of requests',
  },
  {
    files: /^src\/http\//,
    imports:
      /^src\/(contract\/|telemetry\/|admin\/|batching\/(batcher|frames)\.ts$|http\/docs\/page\.ts$)/,
    rule: 'http knows bytes and the contract, neither threads nor the database',
  },
  {
    files: /^src\/tasks\//,
    imports:
      /^src\/(contract\/|config\/|database\/(?!cli|migrate\/|maintenance\/)|batching\/(batch-executor|frames|list-frames)\.ts$|typebox\.ts$)/,
    rule: 'the executor does not know which thread it is on',
  },
  {
    files: /^src\/batching\//,
    imports: /^src\/(contract\/|config\/)/,
    rule: 'batching knows neither sockets, nor tasks, nor the database',
  },
  {
    files: /^src\/cache\//,
    imports:
      /^src\/(contract\/|telemetry\/|config\/|database\/(lane|pipeline\/(pipeline|row))\.ts$)/,
    rule: 'the cache knows neither sockets nor batches',
  },
  {
    files: /^src\/embedded\//,
    imports: /^src\/(config\/|telemetry\/log\.ts$|database\/migrate\/create-database\.ts$)/,
    rule: 'the embedded server is one that the database’s own code could connect to',
  },
  {
    files: /^src\/database\//,
    imports: /^src\/(config\/|telemetry\/(log|background)\.ts$)/,
    rule: 'the database knows nothing of requests',
  },
  {
    files: /^src\/config\//,
    imports: /^src\/(telemetry\/log|typebox)\.ts$/,
    rule: 'the configuration knows nothing of the service',
  },
  {
    files: /^src\/admin\//,
    imports: /^$/,
    rule: 'pages know nothing of what they show',
  },
  {
    files: /^src\/telemetry\/pprof\//,
    imports: /^src\/(admin\/admin-page|ipc\/(rpc|call-all))\.ts$/,
    rule: 'profiles know threads and pages, nothing of tasks',
  },
  {
    files: /^src\/telemetry\/metrics\//,
    imports: /^src\/(contract\/|telemetry\/|admin\/admin-page\.ts$)/,
    rule: 'metrics are told, and make a page',
  },
  {
    files: /^src\/telemetry\//,
    imports: /^src\/contract\//,
    rule: 'telemetry is told, it does not ask',
  },
  {
    files: /^src\/openapi\//,
    imports: /^src\/(contract\/|http\/docs\/|typebox\.ts$)/,
    rule: 'the description follows from the contract',
  },
  {
    files: /^src\/contract\//,
    imports: /^src\/typebox\.ts$/,
    rule: 'the contract imports typebox and itself only',
  },
  {
    files: /^src\/base\//,
    imports: /^$/,
    rule: 'what each room may use knows none of them',
  },
  {
    files: /^src\/typebox\.ts$/,
    imports: /^$/,
    rule: 'it is a package, made one file',
  },
];

/** Packages that only certain files may import. Tests and measurements may import anything. */
const packages: readonly { name: RegExp; files: RegExp; types?: RegExp; rule: string }[] = [
  {
    name: /^uWebSockets\.js$/,
    files: /^src\/http\//,
    rule: 'uWebSockets.js is known to src/http/ only',
  },
  {
    name: /^prom-client$/,
    files: /^src\/telemetry\/metrics\/render\.ts$/,
    rule: 'prom-client is known to src/telemetry/metrics/render.ts only',
  },
  {
    name: /^piscina$/,
    files: /^(src\/batching\/|workers\/task\.worker\.ts$)/,
    rule: 'piscina is known to src/batching/ and its worker only',
  },
  {
    name: /^postgres$/,
    files: /^src\/database\//,
    rule: 'postgres is known to src/database/ only',
  },
  { name: /^ioredis$/, files: /^src\/cache\//, rule: 'ioredis is known to src/cache/ only' },
  {
    name: /^pprof-format$/,
    files: /^src\/telemetry\/pprof\/encode-pprof\.ts$/,
    rule: 'pprof-format is known to the encoder of profiles only',
  },
  { name: /^ajv$/, files: /^src\/tasks\//, rule: 'ajv is known to src/tasks/ only' },
  {
    name: /^typebox/,
    files: /^src\/typebox\.ts$/,
    rule: 'typebox is known to src/typebox.ts only, which the build makes one file',
  },
];

/** Forbidden text. Written so that this file does not contain it. */
const home = ['home', 'root', 'work', 'Users'].join('|');
const sentences: readonly { files: RegExp; line: RegExp; isCode?: boolean; rule: string }[] = [
  {
    files: /^(src\/(?!config\/load\.ts$)|workers\/).*\.ts$/,
    line: /\bprocess\.env\b|\benv\b.*from 'node:process'/,
    rule: 'the environment is read by src/config/load.ts only',
  },
  {
    files: /\.ts$/,
    line: /^(?!\s*(\*|\/\/|\/\*)).*(?::|<|\bas|\||&|=>|\bextends)\s*any\b(?!['\w])/,
    isCode: true,
    rule: 'no value is of the type any',
  },
  {
    files: /^(src\/(?!base\/)|workers\/).*\.ts$/,
    line: /(\w+) instanceof Error \? \1\.message/,
    rule: 'what an error says is told by src/base/error-message.ts',
  },
  {
    files: /^(src\/(?!base\/)|workers\/).*\.ts$/,
    line: /setTimeout\(\(\) => reject\(|^\s*\(\) => reject\(new Error\(.*(within|timed out)/,
    rule: 'a promise is given a limit of time by src/base/within.ts',
  },
  {
    files: /^(src\/(?!base\/)|workers\/).*\.ts$/,
    line: /default-src 'none'; (style-src 'unsafe-inline'; )?frame-ancestors/,
    rule: 'the policies of what is no page with scripts stand in src/base/content-policies.ts',
  },
  {
    files: /^(src\/(?!contract\/request-id\.ts$)|workers\/).*\.ts$/,
    line: /\[A-Za-z0-9\._-\]\{1,64\}/,
    rule: 'the form of a request id stands in src/contract/request-id.ts',
  },
  {
    files: /^(src|workers)\/.*\.ts$/,
    line: /\bas (unknown|never) as\b/,
    rule: 'a value is decoded, not cast twice',
  },
  {
    // The counter of questions is per process, like the channel.
    files: /^(src|workers)\/(?!.*\/threads\.ts$).*\.ts$/,
    line: /^(export )?let |^(export )?const [^=]*= \/.*\/[a-z]*y[a-z]*;$/,
    rule: 'a module keeps no state that changes',
  },
  {
    files: /^test\/.*\.ts$/,
    line: /^import \{.*\bit\b.*\} from 'node:test'/,
    rule: 'a test is called test',
  },
  {
    // Graphs bring 0x's program along.
    files: /^(?!package-lock\.json$|flamegraphs\/.*\.html$)/,
    line: new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`),
    rule: 'what is left to do is an issue, not a comment',
  },
  {
    // In a Dockerfile, root is that of the image.
    files: /^(?!package-lock\.json$|Dockerfile$)/,
    line: new RegExp(`(?<![\\w.:/}*-])/(${home})/[\\w.-]+`),
    rule: 'nothing names a folder of somebody’s machine',
  },
];

/** The entry points; the worker is started by its name. */
const entries = [
  'src/main.ts',
  'src/database/cli.ts',
  'src/openapi/build.ts',
  'workers/task.worker.ts',
];
const fileMaxBytes = 1024 * 1024;
/** A page with inline scripts, so that it works without a network. */
const larger = ['docs/index.html'];

/** In perf/; every other folder there is a program. */
const sharedFolders = new Set(['limits', 'load', 'seed', 'support']);

function hold(faults: readonly string[]): void {
  if (faults.length > 0) assert.fail(faults.join('\n'));
}

function fault(source: Source, found: Import, rule: string): string {
  return `${source.file}:${found.line} imports ${found.target}: ${rule}`;
}

/** Additions to the language that every folder may import. */
const base = /^src\/base\//;

test('imports go one way', () => {
  const faults: string[] = [];
  for (const source of sources) {
    const row = directions.find(({ files: own }) => own.test(source.file));
    if (row === undefined) {
      faults.push(`${source.file}:1 has no row in the table of directions`);
      continue;
    }
    for (const found of source.imports) {
      if (!found.isLocal || row.imports.test(found.target) || row.files.test(found.target))
        continue;
      if (base.test(found.target)) continue;
      faults.push(fault(source, found, row.rule));
    }
  }
  hold(faults);
});

test('each package has its place', () => {
  const faults: string[] = [];
  for (const source of sources) {
    for (const found of source.imports) {
      const row = packages.find(({ name }) => !found.isLocal && name.test(found.target));
      if (row === undefined || row.files.test(source.file)) continue;
      if (found.isTypeOnly && row.types?.test(source.file) === true) continue;
      faults.push(fault(source, found, row.rule));
    }
  }
  hold(faults);
});

test('an imported package is a dependency, and for the service one of its own', () => {
  const manifest = readManifest();
  const faults: string[] = [];
  for (const source of typescript) {
    const isService = /^(src|workers)\//.test(source.file);
    // Packages that the build bundles into dist/ are not needed at runtime.
    const isJoined = source.file === 'src/typebox.ts';
    const known =
      isService && !isJoined ? manifest.runtime : [...manifest.runtime, ...manifest.development];
    for (const found of source.imports) {
      if (found.isLocal || found.target.startsWith('node:')) continue;
      if (known.some((name) => found.target === name || found.target.startsWith(`${name}/`)))
        continue;
      faults.push(fault(source, found, 'it is not in package.json'));
    }
  }
  hold(faults);
});

test('no circle in perf, neither of files nor of folders', () => {
  const measuring = typescript.filter(({ file }) => file.startsWith('perf/'));
  const folderOf = (file: string): string => file.split('/').slice(0, 2).join('/');
  hold([
    ...findCircles(edgesOf(measuring, (file) => file)),
    ...findCircles(edgesOf(measuring, folderOf)),
  ]);
});

test('in perf a program imports no other, and what several share imports no program', () => {
  const faults: string[] = [];
  for (const source of typescript.filter(({ file }) => file.startsWith('perf/'))) {
    const [, own = ''] = source.file.split('/');
    for (const found of source.imports) {
      const [top, folder = ''] = found.target.split('/');
      if (!found.isLocal || top !== 'perf' || folder === own || sharedFolders.has(folder)) continue;
      faults.push(fault(source, found, 'it is of another program'));
    }
  }
  hold(faults);
});

test('no source is an orphan', () => {
  const byFile = new Map(sources.map((source) => [source.file, source]));
  const reached = new Set<string>();
  const open = [...entries];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const found of byFile.get(file)?.imports ?? []) if (found.isLocal) open.push(found.target);
  }
  hold(
    sources
      .filter(({ file }) => !reached.has(file))
      .map(({ file }) => `${file}:1 is not reached from ${entries.join(', ')}`),
  );
});

test('no imports go in a circle', () => {
  hold(findCircles(edgesOf(sources, (file) => file)));
});

test('two files of the service have different names', () => {
  const byName = groupBy(sources, ({ file }) => basename(file));
  hold(
    [...byName.values()]
      .filter((same) => same.length > 1)
      .map((same) => `${same.map(({ file }) => `${file}:1`).join(' and ')} have the same name`),
  );
});

test('an exported name means one thing', () => {
  const exporting =
    /^export (?:async )?(?:function|class|interface|type|const|let|enum) (?<name>\w+)/;
  const names = sources.flatMap(({ file, lines }) =>
    lines.flatMap((text, index) => {
      const name = exporting.exec(text)?.groups?.['name'];
      return name === undefined ? [] : [{ name, file, line: index + 1 }];
    }),
  );
  hold(
    [...groupBy(names, ({ name }) => name)]
      // A schema and its type are in one file.
      .filter(([, same]) => new Set(same.map(({ file }) => file)).size > 1)
      .map(
        ([name, same]) =>
          `${same.map(({ file, line }) => `${file}:${line}`).join(' and ')} export ${name}`,
      ),
  );
});

test('an import names a file that is there', () => {
  const faults: string[] = [];
  for (const source of typescript) {
    for (const found of source.imports) {
      if (!found.isLocal || existsSync(join(root, found.target))) continue;
      faults.push(fault(source, found, 'there is no such file'));
    }
  }
  hold(faults);
});

for (const { files: chosen, line, isCode = false, rule } of sentences) {
  test(rule, () => {
    const faults: string[] = [];
    for (const file of files) {
      if (!chosen.test(file)) continue;
      for (const [index, text] of readSource(file).lines.entries()) {
        // Text in quotes is not code.
        const searched = isCode ? text.replaceAll(/'[^']*'|"[^"]*"/g, "''") : text;
        if (line.test(searched)) faults.push(`${file}:${index + 1} ${rule}: ${text.trim()}`);
      }
    }
    hold(faults);
  });
}

test('migrations are ASCII, so that a database with any encoding can say why it is refused', () => {
  const faults: string[] = [];
  for (const file of files.filter((name) => name.startsWith('sql/'))) {
    for (const [index, text] of readSource(file).lines.entries()) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII is looked for
      if (/[^\x00-\x7f]/.test(text))
        faults.push(`${file}:${index + 1} is not ASCII: ${text.trim()}`);
    }
  }
  hold(faults);
});

/** Lists of what there is: nobody reads them from top to bottom. */
const tables = [
  'src/config/variables.ts',
  'src/openapi/examples.ts',
  'src/telemetry/metrics/front-end-layout.ts',
];
const linesMax = 300;

test('no source of the service has more than 300 lines, but for tables', () => {
  hold(
    sources
      .map(({ file, lines }) => ({
        file,
        count: lines.at(-1) === '' ? lines.length - 1 : lines.length,
      }))
      .filter(({ file, count }) => count > linesMax && !tables.includes(file))
      .map(({ file, count }) => `${file}:1 has ${count} lines`),
  );
});

test('no file is larger than 1 MiB', () => {
  hold(
    files
      .filter((file) => !larger.includes(file))
      .map((file) => ({ file, bytes: statSync(join(root, file)).size }))
      .filter(({ bytes }) => bytes > fileMaxBytes)
      .map(({ file, bytes }) => `${file}:1 has ${bytes} bytes`),
  );
});

for (const [file, written] of [
  ['.env.example', envExample],
  ['docs/configuration.md', configurationPage],
] as const) {
  test(`${file} says what src/config/variables.ts says`, () => {
    assert.ok(
      textOf(file) === written(),
      `${file} is not what src/config/variables.ts says: run make env-example`,
    );
  });
}

test('docs/configuration.md has each variable of src/config/variables.ts and no other', () => {
  const page = 'docs/configuration.md';
  const rows = firstCells(page, /`([A-Z][A-Z0-9_]+)`/g);
  holdSame(page, rows, Object.keys(variables.properties), 'a variable of src/config/variables.ts');
});

test('README.md has at most 130 lines', () => {
  assert.ok(readSource('README.md').lines.length <= 131, 'move a part of README.md to docs/');
});

test('each dependency has its line in docs/dependencies.md, and each line its dependency', () => {
  const { runtime, development } = readManifest();
  const rows = firstCells('docs/dependencies.md', /`([^`]+)`/g);
  holdSame('docs/dependencies.md', rows, [...runtime, ...development], 'a package of package.json');
});

const description = createOpenApi();
const stale = 'is not what the code says: run make doc';

test('docs/openapi.json is what the code says', () => {
  const text = `${JSON.stringify(description, null, 2)}\n`;
  assert.ok(textOf('docs/openapi.json') === text, `docs/openapi.json ${stale}`);
});

test('docs/index.html shows the description of the API', () => {
  const line = /const __redoc_definition = (.*);$/m.exec(textOf('docs/index.html'));
  assert.deepEqual(JSON.parse(line?.[1] ?? 'null'), description, `docs/index.html ${stale}`);
});

test('docs/client/api.ts has the types of the description', () => {
  const text = clientTypes(description);
  assert.ok(textOf('docs/client/api.ts') === text, `docs/client/api.ts ${stale}`);
});

const endToEnd = typescript.filter(({ file }) => file.startsWith('test/e2e/'));
/** Only a bug causes `internal`, so no test can request it. */
const withoutRequest = new Set(['internal']);

test('each problem code is produced by a test over HTTP', {
  skip: endToEnd.length > 0 ? false : 'test/e2e/ is not written yet',
}, () => {
  const text = endToEnd.flatMap(({ lines }) => lines).join('\n');
  hold(
    problemCodes
      .filter((code) => !withoutRequest.has(code) && !new RegExp(`['"]${code}\\b`).test(text))
      .map((code) => `src/contract/problems.ts:1 ${code} is in no test of test/e2e/`),
  );
});

const texts = files.filter((file) => file.endsWith('.md')).map(readMarkdown);
const code = texts.flatMap((text) => text.code);

/** Whether git tracks it, or would: a file or folder, relative to the root. */
function isThere(path: string): boolean {
  return path === '.' || files.some((file) => file === path || file.startsWith(`${path}/`));
}

test('each link between the documents leads to a file, and to a heading where it names one', () => {
  const byFile = new Map(texts.map((text) => [text.file, text]));
  const faults: string[] = [];
  for (const link of texts.flatMap((text) => text.links)) {
    const target = localTarget(link);
    if (target === undefined) continue;
    const { path, anchor } = target;
    if (!isThere(path)) faults.push(`${placeOf(link)} leads to ${path}, which is not there`);
    else if (anchor !== '' && !byFile.get(path)?.anchors.has(anchor)) {
      faults.push(`${placeOf(link)} leads to #${anchor}, which is no heading of ${path}`);
    }
  }
  hold(faults);
});

test('each make target and each program that the documents name is there', () => {
  const targets = new Set(
    readSource('Makefile').lines.flatMap(
      (line) => /^([a-z][a-z0-9 -]*):/.exec(line)?.[1]?.split(' ') ?? [],
    ),
  );
  const faults: string[] = [];
  // A result names the program of its own commit.
  for (const reference of code.filter(({ file }) => !file.startsWith('perf/results/'))) {
    for (const [, target] of reference.text.matchAll(/(?<![\w./-])make +([a-z][a-z0-9-]*)/g)) {
      if (!targets.has(target!))
        faults.push(`${placeOf(reference)} make ${target}: no such target`);
    }
    for (const [, program] of reference.text.matchAll(/\bdist\/([\w./-]+)\.js\b/g)) {
      if (!isThere(`${program}.ts`))
        faults.push(`${placeOf(reference)} ${program}.ts is not there`);
    }
  }
  hold(faults);
});

/** Folders whose files the documents name with full paths. */
const sourcePath =
  /(?<![\w./*<-])(?:src|workers|sql|test|perf|docs|deploy|bin|flamegraphs)\/[\w./-]*[\w/]/g;
/** Files written by commands of the documents. */
const written = /^(docs\/profiling\/(cpu|heap)\.prof|perf\/peers\/[\w-]+\/node_modules)$/;

test('each file that the documents name is there', () => {
  const faults: string[] = [];
  for (const reference of code) {
    for (const [path] of reference.text.matchAll(sourcePath)) {
      const name = path.replace(/\/$/, '');
      if (!isThere(name) && !written.test(name))
        faults.push(`${placeOf(reference)} ${path} is not there`);
    }
  }
  hold(faults);
});

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

function placeOf({ file, line }: Reference): string {
  return `${file}:${line}`;
}

function textOf(file: string): string {
  return readSource(file).lines.join('\n');
}

interface Row {
  readonly name: string;
  readonly line: number;
}

/** The first cells of the rows of a file's tables. */
function firstCells(file: string, pattern: RegExp): Row[] {
  return readSource(file).lines.flatMap((text, index) => {
    const cell = /^\|([^|]*)\|/.exec(text)?.[1] ?? '';
    return [...cell.matchAll(pattern)].map((match) => ({ name: match[1]!, line: index + 1 }));
  });
}

function holdSame(file: string, rows: readonly Row[], names: readonly string[], what: string) {
  hold([
    ...rows
      .filter(({ name }, index) => rows.findIndex((row) => row.name === name) !== index)
      .map(({ name, line }) => `${file}:${line} has ${name} twice`),
    ...rows
      .filter(({ name }) => !names.includes(name))
      .map(({ name, line }) => `${file}:${line} has ${name}, which is not ${what}`),
    ...names
      .filter((name) => !rows.some((row) => row.name === name))
      .map((name) => `${file}:1 lacks ${name}, ${what}`),
  ]);
}

function readManifest(): { runtime: string[]; development: string[] } {
  const manifest = JSON.parse(readSource('package.json').lines.join('\n')) as Record<
    'dependencies' | 'devDependencies' | 'optionalDependencies',
    Record<string, string>
  >;
  return {
    runtime: [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)],
    development: Object.keys(manifest.devDependencies),
  };
}
