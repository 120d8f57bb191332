/**
 * The memory of cached lists: the growth of a front end after five thousand different lists,
 * compared with one without a cache. That subtracts code, buffers and uncollected garbage.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createApi } from '../support/api.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

const mebibyte = 1024 * 1024;
const queries = 5000;
const boundBytes = 8 * mebibyte;
/**
 * Two equal processes differ by tens of MiB, depending on their garbage collections. V8 also lets
 * 64 MiB of freed buffers gather before it collects them, in Node 24 more.
 */
const noiseBytes = 128 * mebibyte;

test('five thousand lists in memory cost no more than the bound', async (t) => {
  const database = await createTestDatabase('cache-bound');
  t.after(database.drop);
  const none = await growthOf('0');
  const bounded = await growthOf(String(boundBytes));
  t.diagnostic(
    `${queries} lists of ${Math.round(bounded.bytesEach / 1024)} KiB: ` +
      `${inMebibytes(bounded.growth)} MiB, ${inMebibytes(none.growth)} MiB when none is kept`,
  );
  // Otherwise an unbounded cache would pass.
  assert.ok(bounded.bytesEach * queries > 2 * (boundBytes + noiseBytes));
  assert.ok(bounded.growth - none.growth < boundBytes + noiseBytes);

  async function growthOf(cacheMaxBytes: string): Promise<{ growth: number; bytesEach: number }> {
    const service = await startService({
      database: database.config,
      env: { CACHE_MAX_BYTES: cacheMaxBytes, FRONTENDS: '1' },
    });
    const api = createApi(service.port, 32);
    try {
      const tasks = (await api.get('/api/tasks')).body.meta.total;
      for (let place = tasks; place < 100; place++) {
        await api.create({ title: `task ${place}`, description: 'x'.repeat(500) });
      }
      const [pid] = service.frontEnds();
      const before = residentBytesOf(pid!);
      const sizes = await Promise.all(Array.from({ length: 32 }, (_, place) => askFrom(place)));
      return { growth: residentBytesOf(pid!) - before, bytesEach: sizes[0]! };
    } finally {
      api.close();
      await service.stop();
    }

    async function askFrom(first: number): Promise<number> {
      let size = 0;
      for (let number = first; number < queries; number += 32) {
        // For the cache each is another list, for the database each is all tasks. The body is not
        // parsed: that would take longer than the request.
        const path = `/api/tasks?per_page=100&filter=id<${10 ** 6 + number}`;
        const answer = await fetch(`http://127.0.0.1:${service.port}${path}`);
        assert.equal(answer.status, 200);
        size = (await answer.arrayBuffer()).byteLength;
      }
      return size;
    }
  }
});

/** proc(5). */
function residentBytesOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line![1]) * 1024;
}

function inMebibytes(bytes: number): string {
  return (bytes / mebibyte).toFixed(0);
}
