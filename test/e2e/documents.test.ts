/** The pages about the API, requested as a browser does. */
import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { documentPages } from '../../src/contract/documents.ts';
import { assertDescribed } from '../support/described.ts';
import { startService } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const suite = useService('documents');
const paths = [
  ...documentPages.map(({ path }) => path),
  '/docs/',
  '/swagger/swagger-ui.css',
  '/swagger/swagger-ui-bundle.js',
  '/swagger/swagger-initializer.js',
  '/swagger/favicon-32x32.png',
  '/swagger/LICENSE',
];

interface Fetched {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

function fetchPage(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { method = 'GET', port = suite.service.port } = {},
): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const { statusCode, headers: got } = incoming;
        resolve({ status: statusCode!, headers: got, bytes: Buffer.concat(chunks) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

test('each page comes whole in each encoding, with a tag of its own', async () => {
  for (const path of paths) {
    const plain = await fetchPage(path);
    assert.equal(plain.status, 200, path);
    assert.equal(plain.headers['content-encoding'], undefined, path);
    const tags = new Set([plain.headers.etag]);
    for (const [accept, encoding, decode] of [
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['gzip', 'gzip', gunzipSync],
      ['br;q=0, *', 'gzip', gunzipSync],
    ] as const) {
      const packed = await fetchPage(path, { 'Accept-Encoding': accept });
      assert.equal(packed.status, 200);
      assert.equal(packed.headers['content-encoding'], encoding, path);
      assert.match(
        packed.headers.vary!,
        path === '/' ? /^Accept, Accept-Encoding$/ : /^Accept-Encoding$/,
      );
      assert.equal(packed.headers['content-type'], plain.headers['content-type']);
      assert.ok(decode(packed.bytes).equals(plain.bytes), `${path} ${encoding}`);
      tags.add(packed.headers.etag);
    }
    assert.equal(tags.size, 3, path);
  }
});

test('a client that has a page is told so, and HEAD gets no more than the head', async () => {
  for (const path of paths) {
    const accept = { 'Accept-Encoding': 'br' };
    const { headers, bytes } = await fetchPage(path, accept);
    const known = await fetchPage(path, { ...accept, 'If-None-Match': `W/${headers.etag}` });
    assert.deepEqual([known.status, known.bytes.length], [304, 0], path);
    assert.equal(known.headers.etag, headers.etag);
    const other = await fetchPage(path, { 'If-None-Match': headers.etag! });
    assert.equal(other.status, 200, path);
    const head = await fetchPage(path, accept, { method: 'HEAD' });
    assert.deepEqual([head.status, head.bytes.length], [200, 0], path);
    assert.equal(head.headers['content-length'], String(bytes.length), path);
  }
});

test('a page has no other method, and nothing lies beside the pages', async () => {
  for (const path of paths) {
    const refused = await fetchPage(path, {}, { method: 'DELETE' });
    assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD, OPTIONS'], path);
    const options = await fetchPage(path, {}, { method: 'OPTIONS' });
    assert.deepEqual([options.status, options.headers.allow], [204, 'GET, HEAD, OPTIONS'], path);
  }
  for (const path of [
    '/swagger',
    '/swagger/',
    '/swagger/manifest.json',
    '/swagger/../main.js',
    '/swagger/%2e%2e/manifest.json',
    '/docs/index.html',
    '/docs.html',
    '/__proto__',
  ]) {
    assert.equal((await fetchPage(path)).status, 404, path);
  }
});

test('a page loads nothing from elsewhere and cannot be framed', async () => {
  for (const path of ['/docs', '/swagger/index.html']) {
    const { headers, bytes } = await fetchPage(path);
    const policy = headers['content-security-policy'] as string;
    assert.match(policy, /^default-src 'none'; script-src '/);
    assert.match(policy, /frame-ancestors 'none'$/);
    assert.doesNotMatch(policy, /script-src[^;]*('unsafe|\*|https?:)/);
    assert.doesNotMatch(bytes.toString(), /<(script|link|img)\b[^>]*(src|href)="(https?:)?\/\//);
  }
});

test('the pages are answered as the description has it', async () => {
  for (const { path } of documentPages) {
    for (const [method, headers] of [
      ['GET', {}],
      ['HEAD', {}],
      ['OPTIONS', {}],
      ['GET', { 'Accept-Encoding': 'gzip' }],
      ['GET', { 'If-None-Match': '*' }],
    ] as const) {
      const { status, headers: got, bytes } = await fetchPage(path, headers, { method });
      const text = bytes.toString();
      const body = got['content-type']?.includes('json') === true ? {} : text;
      assertDescribed(method, path, { status, headers: got, text, body });
    }
  }
});

test('the description says where clients reach the service', async () => {
  const service = await startService({
    database: suite.database.config,
    env: { HOST_BASE_PATH: 'api.example:8443/v1/', METRICS_PATH: '/counts' },
  });
  try {
    const { port } = service;
    const described = await fetchPage('/openapi.json', {}, { port });
    const { servers, paths: operations } = JSON.parse(described.bytes.toString());
    assert.deepEqual(
      servers.map(({ url }: { url: string }) => url),
      ['/v1', '{scheme}://api.example:8443/v1'],
    );
    assert.ok(operations['/api/tasks/{id}'].patch);
    assert.ok(operations['/counts'].get);
    assert.equal(operations['/metrics'], undefined);
    const swagger = await fetchPage('/swagger/doc.json', {}, { port });
    assert.ok(swagger.bytes.equals(described.bytes));
    const page = await fetchPage('/swagger/index.html', {}, { port });
    assert.match(
      page.headers['content-security-policy'] as string,
      /connect-src 'self' http:\/\/api\.example:8443 https:\/\/api\.example:8443;/,
    );
  } finally {
    await service.stop();
  }
});
