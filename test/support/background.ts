/** For work under test that tells nobody how it goes. */
import { isOutOfReach } from '../../src/database/connection-lost.ts';
import { createBackground, type Work } from '../../src/telemetry/background.ts';
import { silentLog } from './postgres.ts';

export function quietWork(): Work {
  return createBackground(silentLog, isOutOfReach).work('test');
}
