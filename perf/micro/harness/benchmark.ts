/** What is measured. */

/** Does exactly the operations that it was prepared for; what it gives back is kept. */
export type Timed = () => unknown;

export interface Benchmark {
  /** As Go writes it, without `Benchmark`: `GetTask/batch=32`. */
  readonly name: string;
  /** Brings back the state that each run begins with and makes what it needs; not measured. */
  prepare(operations: number): Timed | Promise<Timed>;
  /** In one operation, where that is not one: the line has `ns/request` then. */
  readonly requests?: number;
}

/** Nothing reads it; but the compiler of V8 cannot know that, so it leaves no work out. */
export const kept: { value: unknown } = { value: undefined };

/**
 * A pure function over inputs in turn. It is called through a variable that has held many
 * functions, so V8 does not inline it and cannot lift work out of the loop; `Nothing` is what the
 * loop itself costs.
 * @param use gives back a number that depends on its work.
 */
export function pureBenchmark<Input>(
  name: string,
  inputs: readonly Input[],
  use: (input: Input) => number,
): Benchmark {
  return { name, prepare: (operations) => () => runPure(operations, inputs, use) };
}

function runPure<Input>(
  operations: number,
  inputs: readonly Input[],
  use: (input: Input) => number,
): number {
  let sum = 0;
  for (let done = 0, place = 0; done < operations; done++) {
    sum += use(inputs[place]!);
    place = place + 1 === inputs.length ? 0 : place + 1;
  }
  return sum;
}
