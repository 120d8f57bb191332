/** The packed pages and the description of this service, read on first use. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { chooseMediaType } from '../../contract/accept.ts';
import { readHostBasePath } from '../../contract/base-path.ts';
import { describedMetricsPath } from '../../contract/documents.ts';
import { originsOfServers, serversFor } from './described-servers.ts';
import { frontPageHtml, frontPageJson, frontPagePolicy } from './front-page.ts';
import {
  descriptionName,
  manifestName,
  type PackedPage,
  packedFolder,
  suffixes,
} from './packed.ts';
import type { Content, Encoding, FindPage, Page } from './page.ts';
import { connectOwn, dataPolicy } from './policies.ts';

/** A larger file is not cached: only clients without compression ever request it. */
const keptMaxBytes = 1024 * 1024;
/** Brotli quality for a page that is compressed while a request waits. */
const hastyQuality = 6;

const json = 'application/json; charset=utf-8';

type JsonObject = Readonly<Record<string, unknown>>;

export interface LibraryOptions {
  /** The service's address for clients: see serversFor. */
  readonly hostBasePath: string;
  /** `null`: metrics are off. */
  readonly metricsPath: string | null;
}

/** @returns `undefined`: the build has not packed the pages. */
export function openLibrary(
  { hostBasePath, metricsPath }: LibraryOptions,
  folder = packedFolder,
): FindPage | undefined {
  const packed = readManifest(folder);
  if (packed === undefined) return undefined;
  const servers = serversFor(hostBasePath);
  const connect = [connectOwn, ...originsOfServers(servers)].join(' ');

  const pages = new Map<string, Page>();
  for (const { paths, file, contentType, policy, tag } of packed) {
    const page: Page = {
      contentType,
      vary: 'Accept-Encoding',
      policy: policy.replace(connectOwn, connect),
      content: keep(async (encoding) => ({
        bytes: await readFile(join(folder, file + suffixes[encoding])),
        etag: `"${tag}-${encoding}"`,
      })),
    };
    for (const path of paths) pages.set(path, page);
  }

  const description: Page = {
    contentType: json,
    vary: 'Accept-Encoding',
    policy: dataPolicy,
    content: keep(async (encoding) => {
      const stored: JsonObject = JSON.parse(await readFile(join(folder, descriptionName), 'utf8'));
      const paths = withMetricsAt(metricsPath, stored['paths'] as JsonObject);
      return encode(JSON.stringify({ ...stored, servers, paths }), encoding);
    }),
  };
  pages.set('/openapi.json', description);
  pages.set('/swagger/doc.json', description);

  const { base } = readHostBasePath(hostBasePath);
  const front: Readonly<Record<'application/json' | 'text/html', Page>> = {
    'application/json': made(json, dataPolicy, frontPageJson(base)),
    'text/html': made('text/html; charset=utf-8', frontPagePolicy, frontPageHtml(base)),
  };
  return function findPage(path, accept) {
    if (path !== '/') return pages.get(path);
    return front[chooseMediaType(accept, ['application/json', 'text/html'])];
  };
}

/** A page that has several variants at one path. */
function made(contentType: string, policy: string, text: string): Page {
  const vary = 'Accept, Accept-Encoding';
  return { contentType, vary, policy, content: keep((encoding) => encode(text, encoding)) };
}

async function encode(text: string, encoding: Encoding): Promise<Content> {
  const bytes = Buffer.from(text);
  const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { bytes: await compress(bytes, encoding), etag: `"${tag}-${encoding}"` };
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

/** Concurrent requests share one read. After a failure the next request reads again. */
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
        params: { [constants.BROTLI_PARAM_QUALITY]: hastyQuality },
      });
    case 'gzip':
      return promisify(gzip)(bytes);
    case 'identity':
      return bytes;
  }
}
