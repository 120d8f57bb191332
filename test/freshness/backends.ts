/** The two write paths of the checker: over HTTP and directly in SQL. */
import type { Client } from '../../src/database/client.ts';
import type { HttpSession } from './session.ts';
import type { WriteBackend } from './writer.ts';

type Outcome = 'done' | 'unknown' | 'refused';

export function overHttp(session: HttpSession): WriteBackend {
  async function send(method: string, path: string, body?: object) {
    const answer = await session.ask(method, path, body);
    if (answer === undefined) return { outcome: 'unknown' as const, text: '' };
    const { status, text } = answer;
    const outcome: Outcome =
      status < 300 ? 'done' : text.includes('"code":"outcome_unknown"') ? 'unknown' : 'refused';
    if (status >= 400 && status < 500) throw new Error(`${method} ${path}: ${status} ${text}`);
    return { outcome, text };
  }

  return {
    async create(title, assignee) {
      const body = { title, assigneeID: assignee };
      const { outcome, text } = await send('POST', '/api/tasks', body);
      if (outcome !== 'done') return outcome;
      return (JSON.parse(text) as { data: { id: number } }).data.id;
    },
    rename: async (id, title) => (await send('PUT', `/api/tasks/${id}`, { title })).outcome,
    remove: async (id) => (await send('DELETE', `/api/tasks/${id}`)).outcome,
  };
}

/** Writes with SQL, as a user of psql does. A rejection ends the run. */
export function overSql(sql: Client): WriteBackend {
  return {
    async create(title, assignee) {
      const [row] = await sql<{ id: string }[]>`
        INSERT INTO tasks (title, assignee_id) VALUES (${title}, ${assignee}) RETURNING id`;
      return Number(row!.id);
    },
    async rename(id, title) {
      await sql`UPDATE tasks SET title = ${title} WHERE id = ${id}`;
      return 'done';
    },
    async remove(id) {
      await sql`DELETE FROM tasks WHERE id = ${id}`;
      return 'done';
    },
  };
}
