/**
 * The same API on plain uWebSockets.js + postgres.js: one prepared statement for each request,
 * nothing shared between requests. The PG… variables are libpq's.
 */

import uws from 'uWebSockets.js';
import postgres from 'postgres';

const tableName = process.env.TABLE ?? 'tasks';
const sql = postgres({
  max: Number(process.env.POOL_MAX ?? 10),
  // Ids and assignees are below 2^53.
  types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
});
const table = sql(tableName);
const columns = sql`id, title, description, status, assignee_id AS "assigneeID",
  created_at AS "createdAt", updated_at AS "updatedAt"`;

const bodyMaxBytes = 128 * 1024;
const statuses = new Set(['pending', 'in_progress', 'completed', 'done', 'canceled']);
const checks = {
  title: (value) => typeof value === 'string' && value.length >= 1 && value.length <= 255,
  description: (value) => typeof value === 'string' && value.length <= 16_384,
  status: (value) => statuses.has(value),
  assigneeID: (value) => Number.isSafeInteger(value) && value >= 0,
};

const app = uws.App();

app.get('/api/tasks/:id', (response, request) => {
  const id = Number(request.getParameter(0));
  answer(response, async () => {
    if (!isId(id)) return invalid();
    const [row] = await sql`SELECT ${columns} FROM ${table} WHERE id = ${id}`;
    return row === undefined ? notFound() : success('200 OK', row);
  });
});

app.post('/api/tasks', (response) => {
  withBody(response, async (body) => {
    if (!isValid(body) || body.title === undefined) return invalid();
    const { title, description = '', status = 'pending', assigneeID = 0 } = body;
    const [row] = await sql`
      INSERT INTO ${table} (title, description, status, assignee_id)
      VALUES (${title}, ${description}, ${status}, ${assigneeID}) RETURNING ${columns}`;
    return { ...success('201 Created', row), location: `/api/tasks/${row.id}` };
  });
});

app.put('/api/tasks/:id', (response, request) => {
  const id = Number(request.getParameter(0));
  withBody(response, async (body) => {
    if (!isId(id) || !isValid(body)) return invalid();
    const { title = null, description = null, status = null, assigneeID = null } = body;
    const [row] = await sql`
      UPDATE ${table} SET title = coalesce(${title}, title),
        description = coalesce(${description}, description), status = coalesce(${status}, status),
        assignee_id = coalesce(${assigneeID}, assignee_id), version = version + 1,
        updated_at = now()
      WHERE id = ${id} RETURNING ${columns}`;
    return row === undefined ? notFound() : success('200 OK', row);
  });
});

app.del('/api/tasks/:id', (response, request) => {
  const id = Number(request.getParameter(0));
  answer(response, async () => {
    if (!isId(id)) return invalid();
    const { count } = await sql`DELETE FROM ${table} WHERE id = ${id}`;
    return count === 0 ? notFound() : { status: '204 No Content' };
  });
});

function withBody(response, handle) {
  let body = Buffer.alloc(0);
  let tooLarge = false;
  answer(response, async () => {
    await new Promise((resolve) => {
      response.onData((chunk, isLast) => {
        tooLarge ||= body.length + chunk.byteLength > bodyMaxBytes;
        // The chunk is only valid during this call.
        if (!tooLarge) body = Buffer.concat([body, Buffer.from(chunk)]);
        if (isLast) resolve();
      });
    });
    return tooLarge ? invalid() : handle(JSON.parse(body.toString()));
  });
}

function answer(response, handle) {
  let aborted = false;
  response.onAborted(() => {
    aborted = true;
  });
  handle()
    .catch(() => ({ status: '500 Internal Server Error', body: failure('internal', 'Sorry.') }))
    .then(({ status, location, body }) => {
      if (aborted) return;
      response.cork(() => {
        response.writeStatus(status);
        if (location !== undefined) response.writeHeader('Location', location);
        if (body === undefined) return response.endWithoutBody();
        response.writeHeader('Content-Type', 'application/json; charset=utf-8');
        response.end(JSON.stringify(body));
      });
    });
}

function isId(id) {
  return Number.isSafeInteger(id) && id > 0;
}

function isValid(body) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const entries = Object.entries(body);
  return entries.length > 0 && entries.every(([name, value]) => checks[name]?.(value) === true);
}

function success(status, data) {
  return { status, body: { data, meta: null, message: 'success', errors: [], status: 'ok' } };
}

function invalid() {
  return { status: '400 Bad Request', body: failure('invalid', 'The request is not valid.') };
}

function notFound() {
  return { status: '404 Not Found', body: failure('not_found', 'There is no such task.') };
}

function failure(code, message) {
  return { data: null, meta: null, message, errors: [{ code, message }], status: 'fail' };
}

app.listen('127.0.0.1', Number(process.env.PORT ?? 0), (socket) => {
  if (socket === false) process.exit(1);
  const news = {
    message: 'listening',
    url: `http://127.0.0.1:${uws.us_socket_local_port(socket)}`,
  };
  process.send?.(news);
  process.stdout.write(`${JSON.stringify(news)}\n`);
});
process.once('SIGTERM', async () => {
  app.close();
  await sql.end();
  process.exit(0);
});
