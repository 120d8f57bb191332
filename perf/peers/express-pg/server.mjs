/**
 * The same API as a plain Express 5 + pg service: a pool, prepared (named) statements, manual
 * validation, no logger. The PG… variables are pg's.
 */
import express from 'express';
import pg from 'pg';

const table = process.env.TABLE ?? 'tasks';
const pool = new pg.Pool({ max: Number(process.env.POOL_MAX ?? 10) });

// Ids and assignees are below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const columns = `id, title, description, status, assignee_id AS "assigneeID",
  created_at AS "createdAt", updated_at AS "updatedAt"`;
const statuses = new Set(['pending', 'in_progress', 'completed', 'done', 'canceled']);
const checks = {
  title: (value) => typeof value === 'string' && value.length >= 1 && value.length <= 255,
  description: (value) => typeof value === 'string' && value.length <= 16_384,
  status: (value) => statuses.has(value),
  assigneeID: (value) => Number.isSafeInteger(value) && value >= 0,
};

const app = express();
app.disable('x-powered-by');
app.use(express.json({ limit: '128kb' }));

app.param('id', (request, response, next, id) => {
  request.id = Number(id);
  if (Number.isSafeInteger(request.id) && request.id > 0) next();
  else fail(response, 400, 'invalid', 'id must be a whole number above 0');
});

app.get('/api/tasks/:id', async (request, response) => {
  const { rows } = await pool.query({
    name: 'get-task',
    text: `SELECT ${columns} FROM ${table} WHERE id = $1`,
    values: [request.id],
  });
  if (rows.length === 0) notFound(response);
  else succeed(response, 200, rows[0]);
});

app.post('/api/tasks', async (request, response) => {
  if (!isValid(request.body) || request.body.title === undefined) return refuse(response);
  const { title, description = '', status = 'pending', assigneeID = 0 } = request.body;
  const { rows } = await pool.query({
    name: 'create-task',
    text: `INSERT INTO ${table} (title, description, status, assignee_id)
      VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
    values: [title, description, status, assigneeID],
  });
  response.location(`/api/tasks/${rows[0].id}`);
  succeed(response, 201, rows[0]);
});

app.put('/api/tasks/:id', async (request, response) => {
  if (!isValid(request.body)) return refuse(response);
  const { title, description, status, assigneeID } = request.body;
  const { rows } = await pool.query({
    name: 'update-task',
    text: `UPDATE ${table} SET title = coalesce($2, title),
        description = coalesce($3, description), status = coalesce($4, status),
        assignee_id = coalesce($5, assignee_id), version = version + 1, updated_at = now()
      WHERE id = $1 RETURNING ${columns}`,
    values: [request.id, title, description, status, assigneeID],
  });
  if (rows.length === 0) notFound(response);
  else succeed(response, 200, rows[0]);
});

app.delete('/api/tasks/:id', async (request, response) => {
  const { rowCount } = await pool.query({
    name: 'delete-task',
    text: `DELETE FROM ${table} WHERE id = $1`,
    values: [request.id],
  });
  if (rowCount === 0) notFound(response);
  else response.status(204).end();
});

function isValid(body) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const entries = Object.entries(body);
  return entries.length > 0 && entries.every(([name, value]) => checks[name]?.(value) === true);
}

function succeed(response, status, data) {
  response.status(status).json({ data, meta: null, message: 'success', errors: [], status: 'ok' });
}

function refuse(response) {
  fail(response, 400, 'invalid', 'The body is not a valid task.');
}

function notFound(response) {
  fail(response, 404, 'not_found', 'There is no such task.');
}

function fail(response, status, code, message) {
  response
    .status(status)
    .json({ data: null, meta: null, message, errors: [{ code, message }], status: 'fail' });
}

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const news = { message: 'listening', url: `http://127.0.0.1:${server.address().port}` };
  process.send?.(news);
  process.stdout.write(`${JSON.stringify(news)}\n`);
});
process.once('SIGTERM', () => {
  server.close(() => pool.end());
  server.closeAllConnections();
});
