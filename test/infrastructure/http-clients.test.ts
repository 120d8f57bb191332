/** Other HTTP clients and proxies, with the bodies that they send. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { hasOldParser } from '../support/parser.ts';
import { type PlainNginx, startPlainNginx } from '../support/plain-nginx.ts';
import { withoutProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-socket.ts';
import { eventually } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const withoutCurl =
  spawnSync('curl', ['--version']).error === undefined
    ? false
    : 'there is no curl: apt-get install curl';
const withoutNginx = withoutProxy('nginx');
/** The duration of the long form. */
const seconds = Number(process.env['INFRASTRUCTURE_SECONDS'] ?? 0);

const http = { 'Content-Type': 'application/json' };
/** The statuses from an nginx with HTTP/1.0, which is slow: see the last test but one. */
let ancient: Promise<readonly number[]> = Promise.resolve([]);

const suite = useService('http_clients', {
  async prepare({ service }) {
    if (withoutNginx !== false) return;
    const nginx = await startPlainNginx(
      `proxy_pass http://127.0.0.1:${service.port}; proxy_http_version 1.0;`,
    );
    ancient = Promise.all([
      fetch(`http://127.0.0.1:${nginx.port}/livez`),
      fetch(`http://127.0.0.1:${nginx.port}/api/tasks`, {
        method: 'POST',
        headers: http,
        body: '{"title":"over HTTP/1.0"}',
      }),
    ])
      .then((answers) => answers.map(({ status }) => status))
      .finally(nginx.stop);
    // A later await gets the rejection.
    ancient.catch(() => {});
  },
});

const url = (path = '/api/tasks') => `http://127.0.0.1:${suite.service.port}${path}`;

function streamOf(parts: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const left = [...parts];
  return new ReadableStream({
    pull(controller) {
      const part = left.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(encoder.encode(part));
    },
  });
}

function streamed(method: string, body: ReadableStream<Uint8Array>): RequestInit {
  return { method, body, headers: http, duplex: 'half' };
}

test('a client like that of .NET creates, changes and finds tasks, a connection each', async () => {
  async function send(method: string, path: string, body: string) {
    // HttpClient sends the head first, without Expect, then a chunk for each write, with sizes in
    // capitals.
    const connection = await openRaw(suite.service.port);
    await connection.send(
      `${method} ${path} HTTP/1.1\r\nHost: localhost:${suite.service.port}\r\n` +
        'Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    await connection.send(`${Buffer.byteLength(body).toString(16).toUpperCase()}\r\n${body}\r\n`);
    await connection.send('0\r\n\r\n');
    const [answer] = await connection.answers(1);
    assert.ok(answer !== undefined, `${method} ${path} was not answered`);
    // It would keep the connection; the response tells it that the connection ends.
    assert.equal(answer.headers.get('connection'), 'close');
    assert.ok(await connection.ended(30_000));
    return answer;
  }
  for (let round = 0; round < 8; round++) {
    const created = await send('POST', '/api/tasks', `{"title":"posted as JSON ${round}"}`);
    assert.equal(created.status, 201, created.body);
    const path = created.headers.get('location')!;
    const put = await send('PUT', path, '{"status":"done"}');
    assert.equal(JSON.parse(put.body).data.status, 'done');
    const patched = await send('PATCH', path, '{"status":null}');
    assert.equal(JSON.parse(patched.body).data.status, 'pending');
  }
  const { body } = await suite.api.get('/api/tasks?filter=title:posted+as+JSON');
  assert.equal(body.meta.total, 8);
});

test("Node's fetch sends streams, many at once, and each list shows them", async () => {
  async function create(title: string): Promise<void> {
    const body = streamOf(['{"title":', JSON.stringify(title), '}']);
    const answer = await fetch(url(), streamed('POST', body));
    assert.equal(answer.status, 201, await answer.text());
    const listed = await suite.api.get(`/api/tasks?title=${encodeURIComponent(title)}`);
    assert.equal(listed.body.meta.total, 1, `${title} is not in a list after its answer`);
  }
  const until = performance.now() + seconds * 1000;
  let count = 0;
  do {
    await Promise.all(Array.from({ length: 20 }, () => create(`streamed ${count++}`)));
  } while (performance.now() < until);
  const { body } = await suite.api.get('/api/tasks?filter=title:streamed');
  assert.ok(body.meta.total === count || body.meta.total_exact === false, `${body.meta.total}`);
});

test('a stream that breaks off, is too large or malformed makes no task', async () => {
  const broken = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from('{"title":"broken off"'));
    },
    pull(controller) {
      controller.error(new Error('the source failed'));
    },
  });
  await assert.rejects(fetch(url(), streamed('POST', broken)));
  const large = Array.from({ length: 9 }, () => ' '.repeat(16 * 1024));
  const tooLarge = await fetch(
    url(),
    streamed('POST', streamOf(['{"title":"broken off"}', ...large])),
  );
  assert.equal(tooLarge.status, 413);
  const malformed = await fetch(url(), streamed('POST', streamOf(['{"title":"broken off"'])));
  assert.equal(malformed.status, 400);
  assert.equal((await suite.api.get('/api/tasks?title=broken+off')).body.meta.total, 0);
});

interface CurlResult {
  readonly code: number | null;
  readonly status: number;
  readonly text: string;
}

/** @param input its standard input, for `-T -` and `-d @-`. */
async function curl(args: readonly string[], input: string): Promise<CurlResult> {
  const written = ['--silent', '--show-error', '--max-time', '60', '--write-out', '\n%{http_code}'];
  const child = spawn('curl', [...written, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  // It may stop reading a body that is too large.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((done) => child.once('close', done));
  const end = text.lastIndexOf('\n');
  return { code, status: Number(text.slice(end + 1)), text: text.slice(0, end) };
}

test('curl sends what it reads, in chunks, with a length, and after 100-continue', {
  skip: withoutCurl,
}, async () => {
  const json = ['-H', 'Content-Type: application/json'];
  const expect = ['-H', 'Expect: 100-continue'];
  const chunks = ['-H', 'Transfer-Encoding: chunked'];
  const post = ['-X', 'POST', ...json];
  for (const args of [
    [...post, '-T', '-'],
    [...post, ...expect, '-T', '-'],
    [...json, '-d', '@-'],
    [...json, ...expect, '-d', '@-'],
    [...json, ...chunks, '-d', '@-'],
    [...json, ...chunks, ...expect, '-d', '@-'],
  ]) {
    const { code, status, text } = await curl([...args, url()], '{"title":"from curl"}');
    assert.deepEqual([code, status], [0, 201], `${args.join(' ')}: ${text}`);
    const refused = await curl([...args, url('/api/nothing')], '{}');
    assert.deepEqual([refused.code, refused.status], [0, 404], args.join(' '));
  }
  // It receives the response, not a reset.
  const large = await curl([...post, '-T', '-', url()], ' '.repeat(300_000));
  assert.deepEqual([large.code, large.status], [0, 413], large.text);
  assert.equal((await suite.api.get('/api/tasks?title=from+curl')).body.meta.total, 6);
});

test('an nginx that speaks HTTP/1.1 works without more, also when it sends chunks', {
  skip: withoutNginx,
}, async () => {
  const pass = `proxy_pass http://127.0.0.1:${suite.service.port}; proxy_http_version 1.1;`;
  const nginxes: PlainNginx[] = [
    await startPlainNginx(pass),
    await startPlainNginx(`${pass} proxy_request_buffering off;`),
  ];
  for (const { port, stop } of nginxes) {
    for (let round = 0; round < 5; round++) {
      const to = `http://127.0.0.1:${port}/api/tasks`;
      const body = streamOf(['{"title":"behind ', 'nginx"}']);
      const created = await fetch(to, streamed('POST', body));
      assert.equal(created.status, 201, await created.text());
      const path = created.headers.get('location')!;
      const read = await fetch(`http://127.0.0.1:${port}${path}`);
      assert.equal(read.status, 200, await read.text());
    }
    await stop();
  }
  await eventually(
    async () => (await suite.api.get('/api/tasks?title=behind+nginx')).body.meta.total === 10,
    'a task is missing',
  );
});

// The build of 2023 waits for more bytes until the idle timeout.
test('an nginx that speaks HTTP/1.0 is not left waiting: its clients get an error, and nothing is done', {
  skip: withoutNginx,
}, async () => {
  const expected = hasOldParser(suite.service) ? 502 : 505;
  assert.deepEqual(await ancient, [expected, expected]);
  assert.equal((await suite.api.get('/api/tasks?title=over+HTTP%2F1.0')).body.meta.total, 0);
});
