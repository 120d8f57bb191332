import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { endpoints } from '../../src/contract/endpoints.ts';
import { problemCodes } from '../../src/contract/problems.ts';
import { originsOfServers, serversFor } from '../../src/http/docs/described-servers.ts';
import { chooseEncoding } from '../../src/http/send-page.ts';
import { administrationPages, profileNames } from '../../src/openapi/administration.ts';
import { pathOf } from '../../src/openapi/endpoint-paths.ts';
import { examples, troubleExamples } from '../../src/openapi/examples.ts';
import { createOpenApi } from '../../src/openapi/openapi.ts';
import { operations } from '../../src/openapi/operations.ts';
import { profileKinds } from '../../src/telemetry/pprof/kinds.ts';
import { secondsMax } from '../../src/telemetry/pprof/pages.ts';
import { root } from '../support/house.ts';

const description = createOpenApi();
test('each endpoint is described, and nothing else', () => {
  const names = endpoints.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(Object.keys(operations).sort(), names.sort());
  const paths = description['paths'] as Record<string, Record<string, unknown>>;
  for (const { method, path } of endpoints) {
    const item = paths[pathOf(path)]!;
    assert.ok(item[method.toLowerCase()], `${method} ${path}`);
    assert.ok(item['options'], path);
    assert.equal('head' in item, 'get' in item, path);
  }
});

test('each problem that a client can meet has an example', () => {
  const shown = new Set([
    ...examples.flatMap(
      ({ answer }) => JSON.stringify(answer ?? null).match(/"code":"\w+"/g) ?? [],
    ),
    ...troubleExamples.map(({ code }) => `"code":"${code}"`),
  ]);
  // A bug; problems described in the introduction; pages outside the API; requests that no client
  // sends.
  const without = ['internal', 'method_not_allowed', 'unauthorized', 'length_required'];
  assert.deepEqual(
    problemCodes.filter((code) => !shown.has(`"code":"${code}"`)),
    [...without].sort(
      (a, b) => problemCodes.indexOf(a as never) - problemCodes.indexOf(b as never),
    ),
  );
});

test('each example that is told is shown, and each that is shown is told', () => {
  const told = [
    ...examples.filter(({ answer }) => answer !== undefined).map(({ summary }) => summary),
    ...troubleExamples.map(({ summary }) => summary),
  ];
  const shown = new Set<string>();
  const visit = (value: unknown, inAnswers: boolean): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, content] of Object.entries(value)) {
      if (key === 'examples' && inAnswers) {
        for (const { summary } of Object.values(content as Record<string, { summary: string }>)) {
          shown.add(summary);
        }
      } else {
        visit(content, inAnswers || key === 'responses');
      }
    }
  };
  visit(description, false);
  assert.deepEqual([...shown].sort(), [...new Set(told)].sort());
});

test('each profile is described', () => {
  const served = [...profileKinds.map(({ name }) => name), 'cmdline', 'symbol', 'trace'];
  assert.deepEqual([...profileNames], served.sort());
});

test('the servers are the host that was asked, and the one that clients are given', () => {
  for (const [given, urls, origins] of [
    ['', ['/'], []],
    [
      'localhost:8080',
      ['/', '{scheme}://localhost:8080'],
      ['http://localhost:8080', 'https://localhost:8080'],
    ],
    ['https://api.example', ['/', 'https://api.example'], ['https://api.example']],
    [
      'https://api.example:8443/tasks/v1/',
      ['/tasks/v1', 'https://api.example:8443/tasks/v1'],
      ['https://api.example:8443'],
    ],
  ] as const) {
    const servers = serversFor(given);
    assert.deepEqual(
      servers.map(({ url }) => url),
      urls,
    );
    assert.deepEqual(originsOfServers(servers), origins);
  }
});

test('the encoding is the smallest that the client takes', () => {
  for (const [accept, encoding] of [
    ['', 'identity'],
    ['identity', 'identity'],
    ['deflate, zstd', 'identity'],
    ['gzip', 'gzip'],
    ['GZIP;q=0.5, br;q=0.1', 'br'],
    ['gzip;q=1, br;q=0', 'gzip'],
    ['*', 'br'],
    ['*;q=0', 'identity'],
    ['br;q=0, *;q=0.1', 'gzip'],
    ['br;q=nonsense', 'identity'],
  ] as const) {
    assert.equal(chooseEncoding(accept), encoding, accept);
  }
});

test('the description has the version of the service', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal((description['info'] as { version: string }).version, version);
});

test('profiles take as long as the description says, a trace too', () => {
  const page = administrationPages.find(({ path }) => path === '/debug/pprof/{profile}');
  const seconds = page?.parameters.find(({ name }) => name === 'seconds');
  assert.ok(seconds);
  assert.equal((seconds['schema'] as { maximum: number }).maximum, secondsMax);
});

interface Described {
  readonly parameters: Record<string, Record<string, unknown>>;
  readonly schemas: Record<string, { readonly properties?: Record<string, object> }>;
  readonly responses: Record<string, { readonly description: string }>;
}

const components = description['components'] as unknown as Described;

test('each parameter and each field has an example', () => {
  const given = administrationPages.flatMap(({ parameters }) => parameters);
  for (const parameter of [...Object.values(components.parameters), ...given]) {
    const { name, schema } = parameter as { name: string; schema: object };
    assert.ok('example' in parameter || 'examples' in schema, name);
  }
  for (const [name, { properties = {} }] of Object.entries(components.schemas)) {
    for (const [field, property] of Object.entries(properties)) {
      const isNull = 'type' in property && property.type === 'null';
      const words = ['examples', 'const', '$ref', 'readOnly', 'properties'];
      assert.ok(isNull || words.some((word) => word in property), `${name}.${field}`);
    }
  }
});

test('operations stand on the first screen: what comes before them is a paragraph', () => {
  const { description: text } = description['info'] as { description: string };
  assert.ok(text.length < 320 && !text.includes('\n'), `${text.length} characters`);
});

test('each error says what it means and what to do', () => {
  for (const [name, { description: text }] of Object.entries(components.responses)) {
    for (const line of text.split('\n').slice(2)) {
      assert.match(line, /^- `\w+`: [A-Z].*\. [A-Z].*\.$/, `${name}: ${line}`);
    }
    assert.ok(text.includes('\n- `'), name);
  }
});
