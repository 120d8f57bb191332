/**
 * Fastify that returns finished list responses from Redis, and builds them with pg on a miss: a
 * typical cache in front of a database. A list may be stale for TTL_SECONDS.
 */
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import pg from 'pg';

const table = process.env.TABLE ?? 'tasks';
const ttlSeconds = Number(process.env.TTL_SECONDS ?? 600);
const pool = new pg.Pool({ max: Number(process.env.POOL_MAX ?? 10) });
const redis = new Redis(process.env.REDIS_SOCKET);

// Ids, assignees and counts are below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const columns = `id, title, description, status, assignee_id AS "assigneeID",
  created_at AS "createdAt", updated_at AS "updatedAt"`;
const querystring = {
  type: 'object',
  properties: {
    page: { type: 'integer', minimum: 1, default: 1 },
    per_page: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  },
};

const app = Fastify({ logger: false });

app.get('/api/tasks', { schema: { querystring } }, async (request, reply) => {
  const { page, per_page } = request.query;
  const key = `tasks:${page}:${per_page}`;
  let bytes = await redis.getBuffer(key);
  if (bytes === null) {
    bytes = await readList(page, per_page);
    await redis.set(key, bytes, 'EX', ttlSeconds);
  }
  reply.header('Content-Type', 'application/json; charset=utf-8');
  return bytes;
});

async function readList(page, perPage) {
  const [list, count] = await Promise.all([
    pool.query(`SELECT ${columns} FROM ${table} ORDER BY id LIMIT $1 OFFSET $2`, [
      perPage,
      (page - 1) * perPage,
    ]),
    pool.query(`SELECT count(*) AS total FROM ${table}`),
  ]);
  const { total } = count.rows[0];
  const meta = { page, per_page: perPage, total, total_pages: Math.ceil(total / perPage) };
  const answer = { data: list.rows, meta, message: 'success', errors: [], status: 'ok' };
  return Buffer.from(JSON.stringify(answer));
}

process.once('SIGTERM', async () => {
  await app.close();
  await pool.end();
  redis.disconnect();
});

const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) });
const news = { message: 'listening', url };
process.send?.(news);
process.stdout.write(`${JSON.stringify(news)}\n`);
