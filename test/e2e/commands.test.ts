/** The curl commands of README.md and docs/api.md: each page's on an empty service, in order. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../support/house.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

const run = promisify(execFile);
const skip = spawnSync('curl', ['--version']).error === undefined ? false : 'there is no curl';

interface Command {
  readonly line: string;
  /** The response that the page shows. */
  readonly shown: string | undefined;
}

function commandsOf(page: string): Command[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```(?:sh|console)\n([\s\S]*?)^```/gm)].map(([, block]) =>
    block!.split('\n'),
  );
  return blocks.flatMap((lines) =>
    lines.flatMap((text, index) => {
      const line = text.replace(/^\$ /, '');
      if (!line.startsWith('curl ') || line.includes('/debug/pprof/')) return [];
      return [{ line, shown: text.startsWith('$ ') ? lines[index + 1] : undefined }];
    }),
  );
}

/** Replaces times, which differ. */
function withoutTimes(text: string): string {
  return text.trim().replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time');
}

for (const page of ['README.md', 'docs/api.md']) {
  test(`the commands of ${page} are answered as it shows`, { skip }, async () => {
    const commands = commandsOf(page);
    assert.ok(commands.length > 1);
    const database = await createTestDatabase('commands');
    const service = await startService({ database: database.config });
    try {
      for (const { line, shown } of commands) {
        const command = line.replaceAll('localhost:8080', `localhost:${service.port}`);
        const { stdout } = await run('sh', ['-c', command]);
        if (shown !== undefined) assert.equal(withoutTimes(stdout), withoutTimes(shown), line);
        else if (line.includes('304')) assert.match(stdout, /^HTTP\/1\.1 304 /, line);
        else assert.match(stdout, /"status":"ok"/, line);
        const etag = /# ETag: (\S+)/.exec(line)?.[1];
        if (etag !== undefined) assert.ok(stdout.includes(`ETag: ${etag}`), line);
      }
    } finally {
      await service.stop();
      await database.drop();
    }
  });
}
