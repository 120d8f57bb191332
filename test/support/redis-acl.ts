/** The line of docs/deploying.md that makes the user of the service. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

/** With a password and a prefix of a test. */
export function aclLine(password: string, keyPrefix: string): string {
  const text = readFileSync(join(root, 'docs/deploying.md'), 'utf8');
  const [line] = /^ACL SETUSER tasks .*$/m.exec(text) ?? [];
  if (line === undefined) throw new Error('docs/deploying.md has no ACL SETUSER');
  return line.replace(/>\S+/, `>${password}`).replace(/~\S*tasks:\*/, `~${keyPrefix}*`);
}
