/** The packed pages and the description of this very service, read when they are first asked for. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { describedMetricsPath } from './administration.ts';
import type { JsonObject } from './json.ts';
import {
  descriptionName,
  manifestName,
  type PackedPage,
  packedFolder,
  suffixes,
} from './packed.ts';
import type { Content, Encoding, FindPage, Page } from './page.ts';
import { connectOwn, dataPolicy } from './policies.ts';
import { originsOf, serversFor } from './servers.ts';

/** What is longer is read again each time: only who takes no encoding ever asks for it. */
const keptMaxBytes = 1024 * 1024;
/** Of the description, which is compressed while somebody waits for it. */
const descriptionQuality = 6;

export interface LibraryOptions {
  /** Where clients reach the service: see serversFor. */
  readonly hostBasePath: string;
  /** `null`: there are no metrics. */
  readonly metricsPath: string | null;
}

/**
 * @returns `undefined`: the pages were not packed.
 */
export function openLibrary(
  { hostBasePath, metricsPath }: LibraryOptions,
  folder = packedFolder,
): FindPage | undefined {
  const packed = readManifest(folder);
  if (packed === undefined) return undefined;
  const servers = serversFor(hostBasePath);
  const connect = [connectOwn, ...originsOf(servers)].join(' ');

  const pages = new Map<string, Page>();
  for (const { paths, file, contentType, policy, tag } of packed) {
    const page: Page = {
      contentType,
      policy: policy.replace(connectOwn, connect),
      content: keep(async (encoding) => ({
        bytes: await readFile(join(folder, file + suffixes[encoding])),
        etag: `"${tag}-${encoding}"`,
      })),
    };
    for (const path of paths) pages.set(path, page);
  }

  const description: Page = {
    contentType: 'application/json; charset=utf-8',
    policy: dataPolicy,
    content: keep(async (encoding) => {
      const stored: JsonObject = JSON.parse(await readFile(join(folder, descriptionName), 'utf8'));
      const paths = withMetricsAt(metricsPath, stored['paths'] as JsonObject);
      const bytes = Buffer.from(JSON.stringify({ ...stored, servers, paths }));
      const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
      return { bytes: await compress(bytes, encoding), etag: `"${tag}-${encoding}"` };
    }),
  };
  pages.set('/openapi.json', description);
  pages.set('/swagger/doc.json', description);
  return (path) => pages.get(path);
}

function withMetricsAt(metricsPath: string | null, paths: JsonObject): JsonObject {
  const entries = Object.entries(paths).flatMap(([path, item]) => {
    if (path !== describedMetricsPath) return [[path, item] as const];
    return metricsPath === null ? [] : [[metricsPath, item] as const];
  });
  return Object.fromEntries(entries);
}

function readManifest(folder: string): readonly PackedPage[] | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, manifestName), 'utf8'));
  } catch {
    return undefined;
  }
}

/** All who ask at once share one read. One that fails is tried anew by the next. */
function keep(read: (encoding: Encoding) => Promise<Content>): Page['content'] {
  const kept = new Map<Encoding, Promise<Content>>();
  return function content(encoding) {
    const known = kept.get(encoding);
    if (known !== undefined) return known;
    const reading = read(encoding);
    kept.set(encoding, reading);
    reading.then(
      ({ bytes }) => {
        if (bytes.length > keptMaxBytes) kept.delete(encoding);
      },
      () => kept.delete(encoding),
    );
    return reading;
  };
}

async function compress(bytes: Uint8Array, encoding: Encoding): Promise<Uint8Array> {
  switch (encoding) {
    case 'br':
      return promisify(brotliCompress)(bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: descriptionQuality },
      });
    case 'gzip':
      return promisify(gzip)(bytes);
    case 'identity':
      return bytes;
  }
}
