/** PostgreSQL refuses to run as root. */
import { spawnSync } from 'node:child_process';

const nobody = '65534';
/** Nothing is heard, no signal either, while we wait for it. */
const trialTimeoutMs = 5000;
const prefix = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];

/**
 * What to put before a command so that it does not see itself as root: a user namespace, in which
 * our own files appear as those of an ordinary user. Empty for ordinary users.
 * @throws an Error that names the ways out, where namespaces are not allowed.
 */
export function ordinaryUserPrefix(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const [command, ...args] = prefix;
  const trial = { timeout: trialTimeoutMs, killSignal: 'SIGKILL' } as const;
  if (spawnSync(command!, [...args, 'true'], trial).status === 0) return prefix;
  throw new Error(
    'the embedded PostgreSQL does not run as root, and this system allows root no user ' +
      'namespace: run as an ordinary user, or set DB_HOST to a PostgreSQL of your own',
  );
}
