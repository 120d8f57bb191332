/** Writes the files of `-cpuprofile` and `-memprofile`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodePprof } from '../../../src/telemetry/pprof/encode-pprof.ts';
import type { Flags } from '../harness/flags.ts';
import { type Recorder, startCpuRecorder, startHeapRecorder } from './recorder.ts';

export interface Profiles {
  write(): Promise<void>;
}

export async function startProfiles({
  cpuprofile,
  memprofile,
}: Pick<Flags, 'cpuprofile' | 'memprofile'>): Promise<Profiles> {
  const started: { readonly file: string; readonly recorder: Recorder }[] = [];
  if (memprofile !== '') started.push({ file: memprofile, recorder: await startHeapRecorder() });
  if (cpuprofile !== '') started.push({ file: cpuprofile, recorder: await startCpuRecorder() });

  async function write(): Promise<void> {
    for (const { file, recorder } of started) {
      const profile = gzipSync(encodePprof(await recorder.stop()));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, profile);
    }
  }

  return { write };
}
