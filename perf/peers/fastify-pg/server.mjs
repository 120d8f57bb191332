/**
 * The same API as a plain Fastify 5 + pg service: one process, a pool, prepared (named) statements,
 * validated input, compiled serialisers, no logger. The PG… variables are pg's.
 */
import Fastify from 'fastify';
import pg from 'pg';

// TABLE may name a copy without triggers: see perf/README.md.
const table = process.env.TABLE ?? 'tasks';
const pool = new pg.Pool({ max: Number(process.env.POOL_MAX ?? 10) });

// Ids and assignees are below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const columns = `id, title, description, status, assignee_id AS "assigneeID",
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

const app = Fastify({ logger: false });

app.get(
  '/api/tasks/:id',
  { schema: { params, response: { 200: envelope } } },
  async (request, reply) => {
    const { rows } = await pool.query({
      name: 'get-task',
      text: `SELECT ${columns} FROM ${table} WHERE id = $1`,
      values: [request.params.id],
    });
    return rows.length === 0 ? notFound(reply) : success(rows[0]);
  },
);

app.post(
  '/api/tasks',
  {
    schema: {
      body: {
        type: 'object',
        required: ['title'],
        additionalProperties: false,
        properties: {
          title: writable.title,
          description: { ...writable.description, default: '' },
          status: { ...writable.status, default: 'pending' },
          assigneeID: { ...writable.assigneeID, default: 0 },
        },
      },
      response: { 201: envelope },
    },
  },
  async (request, reply) => {
    const { title, description, status, assigneeID } = request.body;
    const { rows } = await pool.query({
      name: 'create-task',
      text: `INSERT INTO ${table} (title, description, status, assignee_id)
        VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
      values: [title, description, status, assigneeID],
    });
    reply.code(201).header('Location', `/api/tasks/${rows[0].id}`);
    return success(rows[0]);
  },
);

app.put(
  '/api/tasks/:id',
  {
    schema: {
      params,
      body: {
        type: 'object',
        minProperties: 1,
        additionalProperties: false,
        properties: writable,
      },
      response: { 200: envelope },
    },
  },
  async (request, reply) => {
    const { title, description, status, assigneeID } = request.body;
    const { rows } = await pool.query({
      name: 'update-task',
      text: `UPDATE ${table} SET title = coalesce($2, title),
          description = coalesce($3, description), status = coalesce($4, status),
          assignee_id = coalesce($5, assignee_id), version = version + 1, updated_at = now()
        WHERE id = $1 RETURNING ${columns}`,
      values: [request.params.id, title, description, status, assigneeID],
    });
    return rows.length === 0 ? notFound(reply) : success(rows[0]);
  },
);

app.delete('/api/tasks/:id', { schema: { params } }, async (request, reply) => {
  const { rowCount } = await pool.query({
    name: 'delete-task',
    text: `DELETE FROM ${table} WHERE id = $1`,
    values: [request.params.id],
  });
  if (rowCount === 0) return notFound(reply);
  return reply.code(204).send();
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
  await pool.end();
});

const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) });
const news = { message: 'listening', url };
process.send?.(news);
process.stdout.write(`${JSON.stringify(news)}\n`);
