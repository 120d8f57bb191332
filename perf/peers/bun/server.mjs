/**
 * The same API on Bun.serve and Bun.sql: its router, its driver with prepared statements, manual
 * validation. The PG… variables are libpq's.
 */
import { SQL } from 'bun';

const socket = `${process.env.PGHOST}/.s.PGSQL.${process.env.PGPORT}`;
const sql = new SQL({
  adapter: 'postgres',
  ...(process.env.PGHOST.startsWith('/') ? { path: socket } : {}),
  max: Number(process.env.POOL_MAX ?? 10),
});
const table = sql(process.env.TABLE ?? 'tasks');
const columns = sql`id, title, description, status, assignee_id AS "assigneeID",
  created_at AS "createdAt", updated_at AS "updatedAt"`;
const statuses = new Set(['pending', 'in_progress', 'completed', 'done', 'canceled']);
const checks = {
  title: (value) => typeof value === 'string' && value.length >= 1 && value.length <= 255,
  description: (value) => typeof value === 'string' && value.length <= 16_384,
  status: (value) => statuses.has(value),
  assigneeID: (value) => Number.isSafeInteger(value) && value >= 0,
};

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT ?? 0),
  reusePort: true,
  routes: {
    '/api/tasks': { POST: createTask },
    '/api/tasks/:id': { GET: getTask, PUT: updateTask, DELETE: deleteTask },
  },
  fetch: () => fail(404, 'not_found', 'There is no such resource.'),
});

async function getTask(request) {
  const id = Number(request.params.id);
  if (!isId(id)) return invalid();
  const [row] = await sql`SELECT ${columns} FROM ${table} WHERE id = ${id}`;
  return row === undefined ? notFound() : success(row);
}

async function createTask(request) {
  const body = await request.json();
  if (!isValid(body) || body.title === undefined) return invalid();
  const { title, description = '', status = 'pending', assigneeID = 0 } = body;
  const [row] = await sql`
    INSERT INTO ${table} (title, description, status, assignee_id)
    VALUES (${title}, ${description}, ${status}, ${assigneeID}) RETURNING ${columns}`;
  return success(row, { status: 201, headers: { Location: `/api/tasks/${row.id}` } });
}

async function updateTask(request) {
  const id = Number(request.params.id);
  const body = await request.json();
  if (!isId(id) || !isValid(body)) return invalid();
  const { title = null, description = null, status = null, assigneeID = null } = body;
  const [row] = await sql`
    UPDATE ${table} SET title = coalesce(${title}, title),
      description = coalesce(${description}, description), status = coalesce(${status}, status),
      assignee_id = coalesce(${assigneeID}, assignee_id), version = version + 1, updated_at = now()
    WHERE id = ${id} RETURNING ${columns}`;
  return row === undefined ? notFound() : success(row);
}

async function deleteTask(request) {
  const id = Number(request.params.id);
  if (!isId(id)) return invalid();
  const { count } = await sql`DELETE FROM ${table} WHERE id = ${id}`;
  return count === 0 ? notFound() : new Response(null, { status: 204 });
}

function isId(id) {
  return Number.isSafeInteger(id) && id > 0;
}

function isValid(body) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const entries = Object.entries(body);
  return entries.length > 0 && entries.every(([name, value]) => checks[name]?.(value) === true);
}

function success(row, options) {
  // bigint arrives as text; ids and assignees are below 2^53.
  const data = { ...row, id: Number(row.id), assigneeID: Number(row.assigneeID) };
  return Response.json({ data, meta: null, message: 'success', errors: [], status: 'ok' }, options);
}

function invalid() {
  return fail(400, 'invalid', 'The request is not valid.');
}

function notFound() {
  return fail(404, 'not_found', 'There is no such task.');
}

function fail(status, code, message) {
  const body = { data: null, meta: null, message, errors: [{ code, message }], status: 'fail' };
  return Response.json(body, { status });
}

process.once('SIGTERM', async () => {
  await server.stop(true);
  await sql.end();
  process.exit(0);
});

process.stdout.write(`${JSON.stringify({ message: 'listening', url: String(server.url) })}\n`);
