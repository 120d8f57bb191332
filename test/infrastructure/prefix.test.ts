/** Behind a real nginx that strips a prefix: all links of the service lead back to itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findChromium, startBrowser } from '../support/browser.ts';
import { startPrefixProxy } from '../support/prefix-proxy.ts';
import { withoutProxy } from '../support/proxy.ts';
import { useService } from '../support/suite.ts';

const prefix = '/tasks-api';
const skip = withoutProxy('nginx');
const METRICS_USERNAME = 'who-measures';
const METRICS_PASSWORD = 'hunter2-hunter2';
let origin = '';
const suite = useService('prefix', {
  env: { HOST_BASE_PATH: `${prefix}/`, METRICS_USERNAME, METRICS_PASSWORD },
  async prepare({ service }) {
    if (skip !== false) return;
    const proxy = await startPrefixProxy(`${prefix}/`, service.port);
    origin = `http://127.0.0.1:${proxy.port}`;
  },
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, origin), { redirect: 'manual', ...init });
}

test('a task is found where Location says', { skip }, async () => {
  const created = await ask(`${prefix}/api/tasks`, {
    method: 'POST',
    body: '{"title":"behind a prefix"}',
    headers: { 'Content-Type': 'application/json' },
  });
  assert.equal(created.status, 201);
  const found = await ask(created.headers.get('location')!);
  assert.deepEqual([found.status, await found.text()], [200, await created.text()]);
});

test('the pages of a list are found where Link says, uncached and cached', { skip }, async () => {
  for (let number = 0; number < 3; number++) await suite.api.create({ title: `page ${number}` });
  for (let round = 0; round < 2; round++) {
    const seen = new Set<number>();
    let next: string | undefined = `${prefix}/api/tasks?per_page=2&filter=title:page`;
    while (next !== undefined) {
      const page: Response = await ask(next);
      assert.equal(page.status, 200, next);
      for (const { id } of JSON.parse(await page.text()).data) seen.add(id);
      next = /<([^>]*)>; rel="next"/.exec(page.headers.get('link')!)?.[1];
    }
    assert.equal(seen.size, 3);
  }
});

test('every way from the front page leads somewhere, and the description names the prefix', {
  skip,
}, async () => {
  const { data } = JSON.parse(await (await ask(`${prefix}/`)).text());
  for (const path of Object.values(data) as string[]) {
    assert.equal((await ask(path)).status, 200, path);
  }
  const { servers } = JSON.parse(await (await ask(data.openapi)).text());
  assert.deepEqual(
    servers.map(({ url }: { url: string }) => url),
    [prefix],
  );
  const moved = await ask(`${prefix}/debug/pprof`, {
    headers: { Authorization: `Basic ${btoa(`${METRICS_USERNAME}:${METRICS_PASSWORD}`)}` },
  });
  const target = new URL(moved.headers.get('location')!, moved.url);
  assert.deepEqual([moved.status, target.pathname], [301, `${prefix}/debug/pprof/`]);
});

const program = findChromium();
test('a browser finds the documents, and what it tries out happens', {
  skip: skip !== false ? skip : program === undefined && 'install Chromium: it is not in PATH',
}, async () => {
  const browser = startBrowser(program!);
  try {
    const tab = await browser.openTab(origin);
    await tab.open(`${origin}${prefix}/`);
    await tab.evaluate(`document.querySelector('a[href$="/docs"]').click()`);
    await tab.until(`location.pathname === '${prefix}/docs'`, 'the link leads elsewhere');
    await tab.until(`document.body.innerText.includes('Task manager API')`, 'ReDoc shows nothing');

    await tab.open(`${origin}${prefix}/swagger/index.html`);
    const block = `document.querySelector('#operations-Tasks-listTasks')`;
    await tab.until(block, 'Swagger UI shows nothing');
    await tab.evaluate(`${block}.querySelector('.opblock-summary-control').click()`);
    await tab.until(`${block}.querySelector('.try-out__btn')`, 'it cannot be tried out');
    await tab.evaluate(`${block}.querySelector('.try-out__btn').click()`);
    await tab.until(`${block}.querySelector('.execute')`, 'it cannot be sent');
    await tab.evaluate(`${block}.querySelector('.execute').click()`);
    const status = `${block}.querySelector('.live-responses-table tbody .response-col_status')`;
    await tab.until(`${status}?.innerText.startsWith('200')`, 'there is no list');
    assert.deepEqual([tab.complaints, tab.strayed], [[], []]);
  } finally {
    await browser.close();
  }
});
