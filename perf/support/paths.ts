/** Paths relative to dist/perf/support. */
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);

export const rootDir = fileURLToPath(root);
export const serviceProgram = fileURLToPath(new URL('dist/src/main.js', root));
export const limitsDir = fileURLToPath(new URL('perf/limits/', root));
export const peersDir = fileURLToPath(new URL('perf/peers/', root));
