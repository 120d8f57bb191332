/** The statement that tells a plan for searches how frequent tasks are. */
import { lookedAtMax } from '../contract/limits.ts';
import type { ListQuery } from '../contract/list-query.ts';
import { conditionsOf, createParameters } from './filter-conditions.ts';
import { always, never, type Statement, where } from './found-tasks.ts';
import { walkedTerm } from './search-plans.ts';

const sampleRuns = 200;
const sampleRunTasks = 20;

/**
 * How frequent are the tasks that a query asks for, and where? Looked up in runs of tasks all over
 * the ids. One row of arrays: the hits of each run in the order of ids; then the hits of each term
 * by itself, the walked one left out, and last the tasks that were looked at; then the tasks of the
 * walked one, up to a bound.
 */
export function sampleStatement(query: ListQuery): Statement {
  const parameters = createParameters();
  const walked = walkedTerm(query);
  const others = query.terms.filter((term) => term !== walked);
  const among = conditionsOf(walked === undefined ? [] : [walked], parameters, always);
  const each = others.map((term) => conditionsOf([term], parameters, never));
  const hits = each.map(
    (condition, place) => `count(*) FILTER (WHERE ${condition}) AS hits${place}`,
  );
  const walkedCount =
    walked === undefined
      ? 'SELECT 0'
      : `SELECT count(*) FROM (SELECT FROM tasks ${where(among)} LIMIT ${lookedAtMax}) AS some_of_them`;
  const begin = `least + (most - least) / ${sampleRuns} * run`;
  const text = `
    SELECT array_agg(hits ORDER BY run),
      ARRAY[${each.map((_, place) => `sum(hits${place}), `).join('')}sum(seen)],
      ARRAY[(${walkedCount})]
    FROM (SELECT min(id) AS least, max(id) AS most FROM tasks) AS ids,
      generate_series(0, ${sampleRuns - 1}) AS run,
      LATERAL (
        SELECT count(*) FILTER (WHERE ${each.join(' AND ') || 'true'}) AS hits,
          ${[...hits, 'count(*) AS seen'].join(', ')}
        FROM (
          SELECT * FROM tasks ${where(among, `id >= ${begin}`)} ORDER BY id LIMIT ${sampleRunTasks}
        ) AS task
      ) AS counts`;
  return { text, values: parameters.values };
}
