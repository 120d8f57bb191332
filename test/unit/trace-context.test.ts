import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceIdOf } from '../../src/http/trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';

test('the trace id of a valid header is found, whatever its flags', () => {
  for (const header of [
    `00-${traceId}-${parentId}-01`,
    `00-${traceId}-${parentId}-00`,
    `00-${traceId}-${parentId}-ff`,
    `01-${traceId}-${parentId}-01`,
    `fe-${traceId}-${parentId}-01-what-comes-later`,
    `cc-${traceId}-${parentId}-01-`,
  ]) {
    assert.equal(traceIdOf(header), traceId, header);
  }
});

test('an invalid trace context counts as not sent', () => {
  for (const header of [
    '',
    ',',
    '00',
    `00-${traceId}`,
    `00-${traceId}-${parentId}`,
    `00-${traceId}-${parentId}-0`,
    `00-${traceId}-${parentId}-1g`,
    `00-${traceId}-${parentId}-01-`,
    `00-${traceId}-${parentId}-01-more`,
    `00-${traceId}-${parentId}-01 `,
    ` 00-${traceId}-${parentId}-01`,
    `ff-${traceId}-${parentId}-01`,
    `0-${traceId}-${parentId}-01`,
    `00-${traceId.toUpperCase()}-${parentId}-01`,
    `00-${traceId}-${parentId.toUpperCase()}-01`,
    `0A-${traceId}-${parentId}-01`,
    `01-${traceId}-${parentId}-01more`,
    `01-${traceId}-${parentId}-01.more`,
    `00-${'0'.repeat(32)}-${parentId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `01-${'0'.repeat(32)}-${parentId}-01`,
    `00-${traceId}0-${parentId}-01`,
    `00-${traceId.slice(1)}-${parentId}-01`,
    `00_${traceId}_${parentId}_01`,
    `00-${traceId}-${parentId}-01,00-${traceId}-${parentId}-01`,
    `00-${traceId}-${parentId}-01\n`,
    `00-${traceId}-${parentId}-01, congo=t61rcWkgMzE`,
  ]) {
    assert.equal(traceIdOf(header), undefined, JSON.stringify(header));
  }
});
