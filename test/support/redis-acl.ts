/** The ACL line of docs/deploying.md for the service's user. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

/** With a test's password and prefix. */
export function aclLine(password: string, keyPrefix: string): string {
  const text = readFileSync(join(root, 'docs/deploying.md'), 'utf8');
  const [line] = /^ACL SETUSER tasks .*$/m.exec(text) ?? [];
  if (line === undefined) throw new Error('docs/deploying.md has no ACL SETUSER');
  return line.replace(/>\S+/, `>${password}`).replace(/~\S*tasks:\*/, `~${keyPrefix}*`);
}
