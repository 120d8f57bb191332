/** How long connections are refused when all front ends die at once, again and again. */
import assert from 'node:assert/strict';
import { connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { startCountingLoad } from '../support/counting-load.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { eventually, lives, type Service, startService } from '../support/service.ts';

const rounds = 3;
/** The minimum back-off of src/primary/fleet.ts. */
const backOffMinMs = 100;

interface Replacement {
  readonly number: number;
  readonly waitMs: number;
}

function replacements({ log }: Service): Replacement[] {
  return log
    .filter(({ message }) => message === 'a front end was replaced')
    .map((line) => line as unknown as Replacement);
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.removeAllListeners('listening');
    server.once('error', () => resolve(false));
    server.listen(port, () => resolve(true));
  });
}

/** Kills all front ends. @returns how long connections were refused, in milliseconds. */
async function killAll(service: Service): Promise<number> {
  const victims = service.frontEnds();
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  await eventually(() => !victims.some(lives), 'a front end does not die');
  const began = performance.now();
  await eventually(() => isTaken(service.port), 'nobody listens', 30_000);
  return performance.now() - began;
}

test('front ends that die together, again and again, are replaced as fast as one', async (context) => {
  const database = await createTestDatabase('restarts');
  const service = await startService({ database: database.config, env: { FRONTENDS: '2' } });
  const load = startCountingLoad(service.port, 4, ['/livez', '/api/tasks']);
  context.after(() => load.stop());
  const began = performance.now();
  process.kill(service.frontEnds()[0]!, 'SIGKILL');
  await service.logged(({ message }) => message === 'a front end was replaced');
  const single = performance.now() - began;

  const refused: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = replacements(service).length;
    refused.push(await killAll(service));
    await eventually(() => replacements(service).length >= before + 2, 'not replaced', 60_000);
    const waits = replacements(service)
      .slice(before)
      .map(({ waitMs }) => waitMs);
    assert.equal(Math.min(...waits), backOffMinMs, `round ${round}: ${waits.join(', ')} ms`);
  }
  const longest = Math.max(...refused);
  const told = refused.map((milliseconds) => milliseconds.toFixed(0)).join(', ');
  assert.ok(longest < 4 * single, `refused for ${told} ms, a single restart takes ${single} ms`);
  assert.equal(await service.stop(), 0);
  await database.drop();
});

test('a front end that dies beside another that serves is replaced with back-off', async () => {
  const database = await createTestDatabase('back_off');
  const service = await startService({ database: database.config, env: { FRONTENDS: '2' } });
  const [steady] = service.frontEnds();
  for (let round = 0; round < 3; round++) {
    const victim = service.frontEnds().find((pid) => pid !== steady);
    process.kill(victim!, 'SIGKILL');
    await eventually(() => replacements(service).length > round, 'it is not replaced', 30_000);
  }
  assert.deepEqual(
    replacements(service).map(({ waitMs }) => waitMs),
    [100, 200, 400],
  );
  assert.equal(await service.stop(), 0);
  await database.drop();
});

test('a front end that cannot start is tried again, seldom enough, and recovers with the cause', async (context) => {
  const database = await createTestDatabase('crash_loop');
  const service = await startService({ database: database.config, env: { FRONTENDS: '1' } });
  // A front end that starts from here on finds the port taken by another service.
  const victim = service.frontEnds()[0]!;
  process.kill(service.pid, 'SIGSTOP');
  process.kill(victim, 'SIGKILL');
  const thief = createServer((socket) => socket.destroy());
  context.after(() => thief.close());
  // The victim's last thread closes the socket.
  await eventually(() => listens(thief, service.port), 'the port does not become free');
  process.kill(service.pid, 'SIGCONT');
  const failures = () =>
    service.log.filter(({ message }) => message === 'a front end could not start').length;
  await eventually(() => failures() >= 5, 'it is not tried again', 60_000);
  await new Promise((resolve) => thief.close(resolve));
  await eventually(() => replacements(service).length > 0, 'it does not recover', 30_000);
  // Rare enough to spare the machine, often enough for waiting clients.
  assert.equal(replacements(service)[0]!.waitMs, 1000);
  assert.equal(await service.stop(), 0);
  await database.drop();
});
