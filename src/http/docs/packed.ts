/** The layout of dist/documents/, where `make build` packs the pages. */
import { resolve } from 'node:path';
import type { Encoding } from './page.ts';

export const packedFolder = resolve(import.meta.dirname, '../../../documents');
export const manifestName = 'manifest.json';
/** The description without `servers`, which only the running service knows. */
export const descriptionName = 'openapi.json';

export interface PackedPage {
  readonly paths: readonly string[];
  /** The file's name; each encoding except `identity` adds a suffix. */
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
