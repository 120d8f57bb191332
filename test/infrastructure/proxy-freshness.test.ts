/** Freshness behind nginx. INFRASTRUCTURE_SECONDS is the time of each run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFreshness } from '../freshness/run.ts';
import { startPlainNginx } from '../support/plain-nginx.ts';
import { withoutProxy } from '../support/proxy.ts';

const seconds = Number(process.env['INFRASTRUCTURE_SECONDS'] ?? 0);
const longForm = seconds === 0 && 'one of those of make test-infrastructure';
const skip = longForm === false ? withoutProxy('nginx') : longForm;

for (const buffering of ['on', 'off']) {
  test(`nothing is stale behind nginx with proxy_request_buffering ${buffering}`, {
    skip,
  }, async (t) => {
    const { operations, violations } = await runFreshness({
      seconds,
      front: (port) =>
        startPlainNginx(
          // Each client keeps its connection.
          `keepalive_requests 100000000; proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.1; ` +
            `proxy_request_buffering ${buffering};`,
        ),
    });
    t.diagnostic(`${operations} operations checked, ${violations.length} violations`);
    assert.deepEqual(violations.slice(0, 5), []);
    assert.ok(operations > 10 * seconds);
  });
}
