/** For `NODE_OPTIONS=--import`: puts blind-generation.ts in the place of the real one. */
import { register } from 'node:module';

register(new URL('./blind-generation-loader.js', import.meta.url));
