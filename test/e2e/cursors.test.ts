/** A cursor always fits: the longest one with the longest filter, through a real socket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cursorMaxCharacters, filterMaxBytes, urlMaxBytes } from '../../src/contract/limits.ts';
import type { Body } from '../support/api.ts';
import { openRaw } from '../support/raw-socket.ts';
import { useService } from '../support/suite.ts';

/** All bytes are percent-encoded in a URL: 126 code points of four bytes, and eight of one. */
const needle = '😀'.repeat(123);
const filter = `description:"${needle}"`;
const letters = ['😀', '\u0001', '\u001f', '"', '\\', 'é', '日', '%'];
const ids: number[] = [];

const suite = useService('cursors', {
  async prepare({ api }) {
    for (const letter of letters) {
      for (let place = 0; place < 3; place++) {
        ids.push(await api.create({ title: letter.repeat(255), description: needle }));
      }
    }
  },
});

/** The usual headers of a browser, with a token of 300 bytes. */
const headers = [
  'Host: tasks.example.com',
  'User-Agent: Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  'Accept: application/json, text/plain, */*',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7',
  `Authorization: Bearer ${'x'.repeat(300)}`,
  'Cache-Control: no-cache',
  'Connection: keep-alive',
].join('\r\n');

/** Sends the head in several packets, as over a network. */
async function get(path: string): Promise<{ body: Body; link: string }> {
  const raw = await openRaw(suite.service.port);
  const head = `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`;
  assert.ok(head.length <= 4096, `uWebSockets.js keeps no more of a head: ${head.length}`);
  for (let at = 0; at < head.length; at += 1400) {
    await raw.send(head.slice(at, at + 1400));
    await sleep(2);
  }
  const [answer] = await raw.answers(1);
  raw.close();
  assert.equal(answer?.status, 200, answer?.body);
  return { body: JSON.parse(answer.body) as Body, link: answer.headers.get('link') ?? '' };
}

function nextOf(link: string): string | undefined {
  return /<([^>]*)>; rel="next"/.exec(link)?.[1];
}

for (const sort of ['title', '-title']) {
  test(`sort=${sort} is walked to its end, by Link and by next_cursor, under the longest filter`, async () => {
    assert.ok(Buffer.byteLength(filter) > filterMaxBytes - 8, String(Buffer.byteLength(filter)));
    const rest = `per_page=1&sort=${sort}&filter=${encodeURIComponent(filter)}`;
    let { body, link } = await get(`/api/tasks?cursor=&${rest}`);
    const walked: number[] = [];
    let longest = 0;
    for (;;) {
      walked.push(...body.data.map(({ id }) => id));
      const { next_cursor: cursor } = body.meta;
      const next = nextOf(link);
      assert.equal(next === undefined, cursor === null);
      if (next === undefined || cursor == null) break;
      longest = Math.max(longest, cursor.length);
      const byLink = await get(next);
      ({ body, link } = await get(`/api/tasks?${rest}&cursor=${cursor}`));
      assert.deepEqual(byLink.body, body);
    }
    assert.equal(longest, cursorMaxCharacters);
    assert.deepEqual(walked.toSorted(ascending), ids);
  });
}

test('a cursor that is longer than any is counted as a part of the URL, a broken one is refused', async () => {
  const statusOf = async (path: string) => (await suite.api.get(path)).status;
  const rest = `/api/tasks?filter=${encodeURIComponent(filter)}`;
  assert.equal(await statusOf(`${rest}&cursor=${'A'.repeat(cursorMaxCharacters)}`), 400);
  assert.equal(await statusOf(`${rest}&cursor=${'A'.repeat(cursorMaxCharacters + 1)}`), 414);
  assert.equal(await statusOf(`/api/tasks?cursor=${'A'.repeat(cursorMaxCharacters + 1)}`), 400);
  assert.equal(await statusOf(`/api/tasks?_cursor=${'A'.repeat(urlMaxBytes)}`), 414);
});

function ascending(one: number, other: number): number {
  return one - other;
}
