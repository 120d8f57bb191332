/** The interface of a benchmark. */

/** Runs exactly the prepared number of operations. Its result is kept. */
export type Timed = () => unknown;

export interface Benchmark {
  /** Go's name without `Benchmark`: `GetTask/batch=32`. */
  readonly name: string;
  /** Restores the initial state and builds the inputs; not measured. */
  prepare(operations: number): Timed | Promise<Timed>;
  /** Requests in one operation, if not one: the line then has `ns/request`. */
  readonly requests?: number;
}

/** Never read, but V8's compiler cannot know that, so it removes no work. */
export const kept: { value: unknown } = { value: undefined };

/**
 * A pure function over inputs in turn. It is called through a variable that has held many
 * functions, so V8 can neither inline it nor hoist work out of the loop. `Nothing` measures the
 * loop itself.
 * @param use returns a number that depends on its work.
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
