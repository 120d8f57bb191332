/** How the pages lie in dist/documents/, where `make build` packs them. */
import { resolve } from 'node:path';
import type { Encoding } from './page.ts';

export const packedFolder = resolve(import.meta.dirname, '../../../documents');
export const manifestName = 'manifest.json';
/** The description without the servers that only the running service knows. */
export const descriptionName = 'openapi.json';

export interface PackedPage {
  readonly paths: readonly string[];
  /** In the folder; with a suffix for each encoding but `identity`. */
  readonly file: string;
  readonly contentType: string;
  readonly policy: string;
  /** A hash of the content. */
  readonly tag: string;
}

export const suffixes: Readonly<Record<Encoding, string>> = {
  br: '.br',
  gzip: '.gz',
  identity: '',
};
