/** The pages in a real browser that can reach only the service. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { createOpenApi } from '../../src/openapi/openapi.ts';
import { type Browser, findChromium, startBrowser, type Tab } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { useService } from '../support/suite.ts';

const program = findChromium();
const needsBrowser = {
  skip: program === undefined ? 'install Chromium: it is not in PATH' : false,
};
/** The origin of another page. */
const elsewhere = await freePort();
const other = createServer((_, response) => {
  response
    .writeHead(200, { 'Content-Type': 'text/html' })
    .end('<!doctype html><title>page</title>');
});
const suite = useService('browser', {
  env: { CORS_ORIGINS: `http://127.0.0.1:${elsewhere}`, CORS_HEADERS: 'baggage' },
});
let browser: Browser | undefined;

before(() => {
  if (program !== undefined) browser = startBrowser(program);
});
after(async () => {
  other.close();
  await browser?.close();
});

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
}

const description = createOpenApi() as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
};
const operations = Object.entries(description.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
);

async function openTab(path: string): Promise<Tab> {
  const origin = `http://127.0.0.1:${suite.service.port}`;
  const tab = await browser!.openTab(origin);
  await tab.open(`${origin}${path}`);
  return tab;
}

function assertContent(tab: Tab): void {
  assert.deepEqual(tab.complaints, []);
  assert.deepEqual(tab.strayed, []);
}

test('/ leads to the documents without a complaint', needsBrowser, async () => {
  const tab = await openTab('/');
  await tab.evaluate(`document.querySelector('a[href="/docs"]').click()`);
  await tab.until(`location.pathname === '/docs'`, 'the link leads elsewhere');
  assertContent(tab);
});

test('/docs shows every endpoint without a complaint', needsBrowser, async () => {
  const tab = await openTab('/docs');
  for (const { name } of description.tags) {
    const path = `/${name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
    await tab.until(`document.querySelector('a[href="${path}"]')`, `no link to ${name}`);
    await tab.evaluate(`document.querySelector('a[href="${path}"]').click()`);
    for (const { summary, tags, path: shown } of operations) {
      if (!tags.includes(name)) continue;
      for (const text of [summary, shown]) {
        const quoted = JSON.stringify(text);
        await tab.until(`document.body.innerText.includes(${quoted})`, `${quoted} is not shown`);
      }
    }
  }
  assertContent(tab);
});

test('/swagger/index.html shows every endpoint without a complaint', needsBrowser, async () => {
  const tab = await openTab('/swagger/index.html');
  const shown = `[...document.querySelectorAll('.opblock')].map((block) => [
    block.querySelector('.opblock-summary-method').textContent.toLowerCase(),
    block.querySelector('.opblock-summary-path').dataset.path,
  ].join(' '))`;
  await tab.until(`${shown}.length === ${operations.length}`, 'not every endpoint is shown');
  const expected = operations.map(({ method, path }) => `${method} ${path}`).sort();
  assert.deepEqual((await tab.evaluate<string[]>(shown)).sort(), expected);
  assert.equal(await tab.evaluate("document.querySelectorAll('.errors-wrapper').length"), 0);
  assertContent(tab);
});

/** The status that a block shows. */
function statusIn(block: string): string {
  return `${block}.querySelector('.live-responses-table tbody .response-col_status')?.innerText`;
}

async function openBlock(tab: Tab, operationId: string): Promise<string> {
  const block = `document.querySelector('#operations-Tasks-${operationId}')`;
  await tab.until(block, `${operationId} is not shown`);
  await tab.evaluate(`${block}.querySelector('.opblock-summary-control').click()`);
  await tab.until(`${block}.querySelector('.try-out__btn')`, 'it cannot be tried out');
  await tab.evaluate(`${block}.querySelector('.try-out__btn').click()`);
  await tab.until(`${block}.querySelector('.execute')`, 'it cannot be sent');
  return block;
}

test('a request that is tried out in Swagger UI happens', needsBrowser, async () => {
  const tab = await openTab('/swagger/index.html');
  const create = await openBlock(tab, 'createTask');
  for (const title of ['from the browser', 'from the browser again']) {
    // React must see the value as if it was typed.
    await tab.evaluate(`(() => {
      const area = ${create}.querySelector('textarea.body-param__text');
      const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value');
      set.call(area, JSON.stringify({ title: ${JSON.stringify(title)} }));
      area.dispatchEvent(new Event('input', { bubbles: true }));
    })()`);
    await tab.evaluate(`${create}.querySelector('.execute').click()`);
    const answer = `${create}.querySelector('.live-responses-table')?.innerText`;
    await tab.until(`${answer}?.includes('"title": ${JSON.stringify(title)}')`, 'no answer');
    await tab.until(`${statusIn(create)}?.startsWith('201')`, 'it was not created');
  }
  const list = await suite.api.get('/api/tasks?filter=title:browser');
  assert.equal(list.body.meta.total, 2);

  // Default values in the form must be valid.
  const lists = await openBlock(tab, 'listTasks');
  await tab.evaluate(`${lists}.querySelector('.execute').click()`);
  await tab.until(`${statusIn(lists)}?.startsWith('200')`, 'there is no list');
  assertContent(tab);
});

test(
  'a page of another origin sends and reads the headers that it may, and gets no profile',
  needsBrowser,
  async () => {
    await once(other.listen(elsewhere, '127.0.0.1'), 'listening');
    const page = `http://127.0.0.1:${elsewhere}`;
    const service = `http://127.0.0.1:${suite.service.port}`;
    const tab = await browser!.openTab(page, service);
    await tab.open(`${page}/`);
    const created = await tab.evaluate<readonly (string | null)[]>(`(async () => {
    const answer = await fetch('${service}/api/tasks', {
      method: 'POST',
      body: '{"title":"from another origin"}',
      headers: {
        'Content-Type': 'application/json',
        Authorization: 'Bearer a-token',
        'Last-Event-ID': '1',
        'Idempotency-Key': 'once',
        'If-Match': '*',
        'X-Request-Id': 'from-a-page',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        tracestate: 'a=b',
        baggage: 'a=b',
      },
    });
    return ['Location', 'ETag', 'X-Request-Id'].map((name) => answer.headers.get(name));
  })()`);
    assert.match(String(created[0]), /^\/api\/tasks\/[0-9]+$/);
    assert.match(String(created[1]), /^"/);
    assert.equal(created[2], 'from-a-page');
    assertContent(tab);

    const ask = (options: string) =>
      tab.evaluate<number>(
        `fetch('${service}/debug/pprof/cmdline', ${options}).then(({ status }) => status)`,
      );
    assert.equal(await ask('{}'), 401);
    assert.equal(await ask(`{ headers: { Authorization: 'Basic ${btoa('admin:admin')}' } }`), 401);
    // The browser does not send a header that CORS_HEADERS does not list.
    const refused = await tab.evaluate<string>(
      `fetch('${service}/livez', { headers: { 'X-Other': '1' } }).then(() => 'sent', () => 'refused')`,
    );
    assert.equal(refused, 'refused');
  },
);
