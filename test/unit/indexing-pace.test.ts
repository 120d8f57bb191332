import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createPaceKeeper,
  patientPace,
  promptPace,
  restMs,
} from '../../src/database/maintenance/indexing-pace.ts';

test('texts are indexed soon for a minute after a search, and with patience otherwise', () => {
  const keeper = createPaceKeeper();
  assert.equal(keeper.paceAt(17, 0), patientPace, 'what was before is no search of now');
  assert.equal(keeper.paceAt(17, 1000), patientPace);
  assert.equal(keeper.paceAt(18, 2000), promptPace);
  assert.equal(keeper.paceAt(18, 61_999), promptPace);
  assert.equal(keeper.paceAt(18, 62_000), patientPace);
  assert.equal(keeper.paceAt(19, 70_000), promptPace);
});

test('counts that begin anew are no search', () => {
  const keeper = createPaceKeeper();
  keeper.paceAt(100, 0);
  assert.equal(keeper.paceAt(0, 1000), patientPace);
  assert.equal(keeper.paceAt(1, 2000), promptPace);
});

test('a rest is as long as the pace says, and at least until tasks have gathered', () => {
  const full = { taken: 2000, batch: 2000, workedMs: 150 };
  assert.equal(restMs(promptPace, full), 150);
  assert.equal(restMs(patientPace, full), 600);
  const few = { taken: 3, batch: 2000, workedMs: 2 };
  assert.equal(restMs(promptPace, few), promptPace.gatherMs);
  assert.equal(restMs(patientPace, few), patientPace.gatherMs);
  assert.equal(restMs(promptPace, { ...few, workedMs: 300 }), 300);
});
