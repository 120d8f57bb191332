/**
 * The commands behind `make doc` and `make build`: `description` writes docs/openapi.json and the
 * client's types, `page` finishes docs/index.html, `pack` packs what the service serves.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clientTypes } from './client-types.ts';
import { createOpenApi } from './openapi.ts';
import { packPages } from './pack.ts';
import { withoutRequests } from './self-contained.ts';

const root = resolve(import.meta.dirname, '../../..');

const commands: Readonly<Record<string, () => void>> = {
  description() {
    const description = createOpenApi();
    write('docs/openapi.json', `${JSON.stringify(description, null, 2)}\n`);
    write('docs/client/api.ts', clientTypes(description));
  },
  page() {
    const html = readFileSync(join(root, 'docs/index.html'), 'utf8');
    write('docs/index.html', withoutRequests(html));
  },
  pack: () => packPages(root),
};

const [, , name = ''] = process.argv;
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command === undefined) {
  console.error(`expected one of ${Object.keys(commands).join(', ')}`);
  process.exitCode = 1;
} else {
  command();
}

function write(file: string, text: string): void {
  writeFileSync(join(root, file), text);
}
