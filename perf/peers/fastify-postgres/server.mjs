/**
 * The same API as a plain Fastify 5 + postgres.js service: a pool, prepared statements (the
 * driver's default), validated input, compiled serialisers, no logger. The PG… variables are
 * libpq's.
 */
import Fastify from 'fastify';
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

const statuses = ['pending', 'in_progress', 'completed', 'done', 'canceled'];
const writable = {
  title: { type: 'string', minLength: 1, maxLength: 255 },
  description: { type: 'string', maxLength: 16_384 },
  status: { type: 'string', enum: statuses },
  assigneeID: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
};
const task = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    title: { type: 'string' },
    description: { type: 'string' },
    status: { type: 'string' },
    assigneeID: { type: 'integer' },
    createdAt: { type: 'string', format: 'date-time' },
    updatedAt: { type: 'string', format: 'date-time' },
  },
};
const envelope = {
  type: 'object',
  properties: {
    data: task,
    meta: { type: 'null' },
    message: { type: 'string' },
    errors: { type: 'array', items: {} },
    status: { type: 'string' },
  },
};
const params = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } },
};
const created = {
  type: 'object',
  required: ['title'],
  additionalProperties: false,
  properties: {
    title: writable.title,
    description: { ...writable.description, default: '' },
    status: { ...writable.status, default: 'pending' },
    assigneeID: { ...writable.assigneeID, default: 0 },
  },
};
const changed = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: writable,
};

const app = Fastify({ logger: false });

app.get(
  '/api/tasks/:id',
  { schema: { params, response: { 200: envelope } } },
  async (request, reply) => {
    const [row] = await sql`SELECT ${columns} FROM ${table} WHERE id = ${request.params.id}`;
    return row === undefined ? notFound(reply) : success(row);
  },
);

app.post(
  '/api/tasks',
  { schema: { body: created, response: { 201: envelope } } },
  async (request, reply) => {
    const { title, description, status, assigneeID } = request.body;
    const [row] = await sql`
      INSERT INTO ${table} (title, description, status, assignee_id)
      VALUES (${title}, ${description}, ${status}, ${assigneeID}) RETURNING ${columns}`;
    reply.code(201).header('Location', `/api/tasks/${row.id}`);
    return success(row);
  },
);

app.put(
  '/api/tasks/:id',
  { schema: { params, body: changed, response: { 200: envelope } } },
  async (request, reply) => {
    const { title = null, description = null, status = null, assigneeID = null } = request.body;
    const [row] = await sql`
      UPDATE ${table} SET title = coalesce(${title}, title),
        description = coalesce(${description}, description), status = coalesce(${status}, status),
        assignee_id = coalesce(${assigneeID}, assignee_id), version = version + 1,
        updated_at = now()
      WHERE id = ${request.params.id} RETURNING ${columns}`;
    return row === undefined ? notFound(reply) : success(row);
  },
);

app.delete('/api/tasks/:id', { schema: { params } }, async (request, reply) => {
  const { count } = await sql`DELETE FROM ${table} WHERE id = ${request.params.id}`;
  return count === 0 ? notFound(reply) : reply.code(204).send();
});

function success(data) {
  return { data, meta: null, message: 'success', errors: [], status: 'ok' };
}

function notFound(reply) {
  reply.code(404);
  const message = 'There is no such task.';
  return {
    data: null,
    meta: null,
    message,
    errors: [{ code: 'not_found', message }],
    status: 'fail',
  };
}

process.once('SIGTERM', async () => {
  await app.close();
  await sql.end();
});

const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) });
const news = { message: 'listening', url };
process.send?.(news);
process.stdout.write(`${JSON.stringify(news)}\n`);
