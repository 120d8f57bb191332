/**
 * Parses docker-compose.yml as its users' programs do: with Docker Compose if installed. Otherwise
 * with a few lines around its library compose-go, built if Go is installed. (The library's own
 * command does not read variables from the environment.) Its modules come from Go's cache or, with
 * TEST_INSTALL=1, from the module proxy.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './house.ts';
import { mayInstall } from './may-install.ts';

export interface ComposeAnswer {
  readonly ok: boolean;
  readonly output: string;
}

export interface Compose {
  readonly name: string;
  /** Parses the project's file with exactly these variables. */
  config(variables: Readonly<Record<string, string>>): ComposeAnswer;
}

const source = join(root, 'test/support/compose-config');
const buildTimeoutMs = 150_000;

/** @returns what is missing if there is none. */
export function findCompose(): Compose | string {
  for (const [name, command] of [
    ['docker compose', ['docker', 'compose']],
    ['docker-compose', ['docker-compose']],
  ] as const) {
    const answer = spawnSync(command[0], [...command.slice(1), 'version', '--short'], {
      encoding: 'utf8',
    });
    // Version 1, in Python, had another file format.
    if (answer.status === 0 && !/^v?1\./.test(answer.stdout)) {
      // An empty file instead of .env, which belongs to the developer.
      return composeOf(`${name} ${answer.stdout.trim()}`, [
        ...command,
        '--env-file=/dev/null',
        'config',
        '--quiet',
      ]);
    }
  }
  const program = buildLoader();
  if (program === undefined) {
    return 'there is neither docker compose nor a Go that has compose-go (TEST_INSTALL=1 fetches it)';
  }
  return composeOf('compose-go', [program, 'docker-compose.yml']);
}

function composeOf(name: string, [program, ...args]: readonly string[]): Compose {
  return {
    name,
    config(variables) {
      const { status, stdout, stderr } = spawnSync(program!, args, {
        cwd: root,
        encoding: 'utf8',
        env: { ...environmentOfDocker(), ...variables },
      });
      return { ok: status === 0, output: `${stdout}${stderr}` };
    },
  };
}

/** The location of Docker's programs and plugins. */
function environmentOfDocker(): NodeJS.ProcessEnv {
  const chosen = Object.entries(process.env).filter(([name]) =>
    /^(PATH|HOME|DOCKER_.*)$/.test(name),
  );
  return Object.fromEntries(chosen);
}

function buildLoader(): string | undefined {
  const program = join(mkdtempSync(join(tmpdir(), 'compose-')), 'compose-config');
  const { status } = spawnSync('go', ['build', '-mod=readonly', '-o', program, '.'], {
    cwd: source,
    timeout: buildTimeoutMs,
    stdio: 'ignore',
    env: mayInstall ? process.env : { ...process.env, GOPROXY: 'off', GOTOOLCHAIN: 'local' },
  });
  return status === 0 ? program : undefined;
}
