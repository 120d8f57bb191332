/** The queries for each size: the same ones, with existing words and assignees. */
import type { Client } from '../../src/database/client.ts';
import { names, vocabulary } from '../seed/words.ts';
import type { Asker, ListAnswer } from './asker.ts';

export interface Case {
  readonly name: string;
  ask(asker: Asker): Promise<ListAnswer>;
}

export async function makeCases(sql: Client, asker: Asker, size: number): Promise<Case[]> {
  const rare = await findRareWord(sql);
  // Equally frequent in titles at every size: about 1 % and about a third.
  const medium = vocabulary[60]!;
  const frequent = vocabulary[0]!;
  const typical = await findAssignee(sql, 'ASC', Math.max(1, size / 100_000));
  const busiest = await findAssignee(sql, 'DESC', 1);
  const pagesOf = async (query: string) => (await asker.ask(query)).totalPages;
  const all = await pagesOf('');
  const pending = await pagesOf('status=pending');
  const fixed: readonly (readonly [name: string, query: string])[] = [
    ['first page', ''],
    ['first page, newest', 'sort=-id'],
    ['page in the middle', `page=${Math.ceil(all / 2)}`],
    ['last page', `page=${all}`],
    ['page in the middle, newest first', `sort=-id&page=${Math.ceil(all / 2)}`],
    ['status, first page', 'status=pending'],
    ['status, second page', 'status=pending&page=2'],
    ['status, page in the middle', `status=pending&page=${Math.ceil(pending / 2)}`],
    ['status, last page', `status=pending&page=${pending}`],
    ['assignee, typical', `assignee_id=${typical}`],
    ['assignee, busiest', `assignee_id=${busiest}`],
    ['assignee nobody (a fifth of all)', 'assignee_id=0'],
    ['status and assignee', `status=pending&assignee_id=${busiest}`],
    ['rare word in title', `filter=title:${rare}`],
    ['rare word anywhere', `filter=${rare}`],
    ['medium word in title', `filter=title:${medium}`],
    ['frequent word in title', `filter=title:${frequent}`],
    ['frequent word anywhere', `filter=${frequent}`],
    ['status and frequent word', `status=pending&filter=title:${frequent}`],
    ['assignee and medium word', `assignee_id=${busiest}&filter=title:${medium}`],
    ['two statuses', 'filter=status:canceled|done'],
    ['created since', 'filter=createdAt>=2025-12-25T00:00:00Z'],
    ...['title', 'status', 'assigneeID', 'createdAt', 'updatedAt'].flatMap(
      (field): (readonly [string, string])[] => [
        [`sort by ${field}`, `sort=${field}`],
        [`sort by ${field}, descending`, `sort=-${field}`],
      ],
    ),
    ['sort by title, last page', `sort=title&page=${all}`],
    ['sort by title, page 100', `sort=title&page=${Math.min(100, all)}`],
    ['status sorted by updatedAt', 'status=pending&sort=-updatedAt'],
  ];
  return [
    ...fixed.map(([name, query]): Case => ({ name, ask: (one) => one.ask(query) })),
    walk('cursor step, by id', ''),
    walk('cursor step, by title', 'sort=title&'),
    walk('cursor step, one status', 'status=pending&'),
  ];
}

/** Each query is the next step; after the end the walk restarts. */
function walk(name: string, query: string): Case {
  let cursor = '';
  return {
    name,
    async ask(asker) {
      const answer = await asker.ask(`${query}cursor=${cursor}`);
      cursor = answer.nextCursor ?? '';
      return { ...answer, path: `/api/tasks?${query}cursor=…` };
    },
  };
}

/** A word in the titles or descriptions of 1 to 20 tasks. */
async function findRareWord(sql: Client): Promise<string> {
  for (const word of [...names, ...vocabulary.toReversed()]) {
    const pattern = `%${word}%`;
    const [row] = await sql<{ count: string }[]>`
      SELECT count(*) AS count FROM (
        SELECT 1 FROM tasks WHERE title ILIKE ${pattern} OR description ILIKE ${pattern} LIMIT 21
      ) AS found`;
    const [titled] = await sql<{ count: string }[]>`
      SELECT count(*) AS count FROM (SELECT 1 FROM tasks WHERE title ILIKE ${pattern} LIMIT 21) AS found`;
    if (Number(titled!.count) > 0 && Number(row!.count) <= 20) return word;
  }
  throw new Error('no word is rare enough');
}

/**
 * Among the assignees with at least `tasks` tasks, the first by their number of tasks in the given
 * direction. Not 0, which is no assignee.
 */
async function findAssignee(
  sql: Client,
  direction: 'ASC' | 'DESC',
  tasks: number,
): Promise<string> {
  const [row] = await sql.unsafe<{ assignee_id: string }[]>(`
    SELECT assignee_id FROM tasks WHERE assignee_id > 0 GROUP BY 1
    HAVING count(*) >= ${tasks} ORDER BY count(*) ${direction}, 1 LIMIT 1`);
  return row!.assignee_id;
}
