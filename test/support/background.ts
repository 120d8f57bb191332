/** A `Work` for tests that do not check background work. */
import { isOutOfReach } from '../../src/database/connection-lost.ts';
import { createBackground, type Work } from '../../src/telemetry/background.ts';
import { silentLog } from './postgres.ts';

export function quietWork(): Work {
  return createBackground(silentLog, isOutOfReach).work('test');
}
