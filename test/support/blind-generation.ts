/**
 * Takes the place of src/cache/generation.ts where a test needs caches that are stale: it asks for
 * the generation now and then only, as a cache with a time to live would.
 */
import {
  createGenerationReader as createReader,
  type Generation,
  type GenerationReader,
  type GenerationReaderOptions,
} from '../../src/cache/generation.ts';

const blindForMs = 500;

export function createGenerationReader<Waiter>(
  options: GenerationReaderOptions<Waiter>,
): GenerationReader<Waiter> {
  let known: Generation | undefined;
  let until = 0;
  return createReader({
    ...options,
    async read() {
      if (known === undefined || performance.now() > until) {
        known = await options.read();
        until = performance.now() + blindForMs;
      }
      return known;
    },
  });
}
