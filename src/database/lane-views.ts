/** Ways to use a lane: with settings of one's own, and with statements that are prepared in time. */
import type { Lane } from './lane.ts';
import type { Pipeline } from './pipeline/pipeline.ts';

/** Each transaction begins with this statement, while others on the same lane begin as they do. */
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
 * Behind the first statement on a connection others are prepared, so that no later one pays for it.
 * @param prepare without effect; what it rejects with is nobody's concern.
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
