/** Views of a lane: with a prelude for each transaction, and with statements prepared ahead. */
import type { Lane } from './lane.ts';
import type { Pipeline } from './pipeline/pipeline.ts';

/**
 * Each transaction of this view starts with `prelude`. Other users of the lane are not affected.
 */
export function begunBy(lane: Lane, prelude: string): Lane {
  const views = new WeakMap<Pipeline, Pipeline>();

  function viewOf(pipeline: Pipeline): Pipeline {
    let view = views.get(pipeline);
    if (view === undefined) {
      view = pipeline.after(prelude);
      views.set(pipeline, view);
    }
    return view;
  }

  return { ...lane, run: (use) => lane.run((pipeline) => use(viewOf(pipeline))) };
}

/**
 * Prepares statements after the first statement on each connection, so that no later one waits for
 * the planner.
 * @param prepare must have no effect. Its rejection is ignored.
 */
export function preparedBehind(
  lane: Lane,
  prepare: (pipeline: Pipeline) => Promise<unknown>,
): Lane {
  let prepared: Pipeline | undefined;

  function run<Result>(use: (pipeline: Pipeline) => Promise<Result>): Promise<Result> {
    return lane.run((pipeline) => {
      if (pipeline === prepared) return use(pipeline);
      prepared = pipeline;
      const result = use(pipeline);
      prepare(pipeline).catch(() => undefined);
      return result;
    });
  }

  return { ...lane, run };
}
