/** Compiles to dist/, and joins what consists of so many files that opening them would slow each start. */
import { spawnSync } from 'node:child_process';
import { buildSync } from 'esbuild';

const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
buildSync({
  entryPoints: ['src/typebox.ts'],
  outfile: 'dist/src/typebox.js',
  bundle: true,
  format: 'esm',
  platform: 'node',
  sourcemap: true,
  logLevel: 'warning',
});
