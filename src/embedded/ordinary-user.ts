/** Runs PostgreSQL as an ordinary user, because it refuses to run as root. */
import { spawnSync } from 'node:child_process';

const nobody = '65534';
/** The call is synchronous: no event or signal is handled meanwhile. */
const trialTimeoutMs = 5000;
const prefix = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];

/**
 * The prefix of a command so that it does not see itself as root: a user namespace, in which this
 * user's files belong to an ordinary user. Empty if this user is not root.
 * @throws an Error that says what to do if user namespaces are not allowed.
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
