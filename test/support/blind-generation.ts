/**
 * Replaces src/cache/generation.ts in tests that need stale caches: it reads the generation only at
 * intervals, like a cache with a TTL.
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
