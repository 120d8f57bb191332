/** For `NODE_OPTIONS=--import`: replaces src/cache/generation.ts with blind-generation.ts. */
import { register } from 'node:module';

register(new URL('./blind-generation-loader.js', import.meta.url));
