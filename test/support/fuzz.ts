/** How many requests a fuzz test sends, and how to repeat them. */
import type { TestContext } from 'node:test';
import fc from 'fast-check';

/** The files of test/fuzz/ share FUZZ_REQUESTS. */
const files = 4;
const requests = Math.ceil(Number(process.env['FUZZ_REQUESTS'] ?? 4000) / files);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
/** Far longer than every timeout of the service: a longer wait is a hang. */
const hangMs = 60_000;
/** Sent at once, as clients do. */
export const batchSize = 50;

/** Rejects with the error of the first failing batch. */
export async function fuzz<Input>(
  t: TestContext,
  input: fc.Arbitrary<Input>,
  throwAll: (inputs: readonly Input[]) => Promise<void>,
): Promise<void> {
  const numRuns = Math.ceil(requests / batchSize);
  t.diagnostic(`${numRuns * batchSize} requests, seed ${seed}: FUZZ_SEED repeats it`);
  const batch = fc.array(input, { minLength: batchSize, maxLength: batchSize, size: 'max' });
  // Without shrinking: the message names the request.
  const property = fc.asyncProperty(batch, (inputs) => beforeHanging(throwAll(inputs)));
  const details = await fc.check(property, {
    numRuns,
    seed,
    endOnFailure: true,
  });
  if (details.failed) throw details.errorInstance;
}

async function beforeHanging(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`one of ${batchSize} was not answered in ${hangMs} ms`));
    }, hangMs);
  });
  try {
    await Promise.race([work, hang]);
  } finally {
    clearTimeout(timer);
  }
}
