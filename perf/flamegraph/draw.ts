/** Draws a merged .cpuprofile with 0x as a self-contained HTML file. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rootDir } from '../support/paths.ts';
import type { FlamegraphOptions } from './options.ts';
import { withinSize } from './widest.ts';

/** The repository accepts no larger file. */
const htmlMaxBytes = 1024 * 1024;

/** @returns the path of the file. */
export function drawFlamegraph(profile: string, options: FlamegraphOptions, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'flamegraph-'));
  const html = resolve(options.folder, `${options.name ?? name}.html`);
  const source = join(folder, 'merged.cpuprofile');
  try {
    writeFileSync(source, JSON.stringify(withinSize(profile)));
    const { status } = spawnSync(
      process.execPath,
      [
        join(rootDir, 'node_modules/0x/cmd.js'),
        '--quiet',
        `--title=${options.title}`,
        `--visualize-cpu-profile=${source}`,
        `--output-html=${html}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    if (status !== 0) throw new Error('0x could not draw the graph');
  } finally {
    rmSync(folder, { recursive: true });
  }
  const { size } = statSync(html);
  if (size > htmlMaxBytes) throw new Error(`${html} has ${size} bytes: more than is kept`);
  return html;
}
