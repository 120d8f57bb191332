/** Compresses the pages at build time. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import {
  descriptionName,
  manifestName,
  type PackedPage,
  packedFolder,
  suffixes,
} from '../http/docs/packed.ts';
import { dataPolicy, selfContainedPolicy, swaggerPolicy } from '../http/docs/policies.ts';
import { swaggerFiles, swaggerInitializer, swaggerPage } from './swagger.ts';

/** Quality 11 takes twenty times as long for a tenth less. */
const brotliQuality = 9;

/** Writes the manifest last: a folder without one is not packed. */
export function packPages(root: string): void {
  rmSync(packedFolder, { recursive: true, force: true });
  mkdirSync(packedFolder, { recursive: true });
  const html = 'text/html; charset=utf-8';
  const reference = readFileSync(join(root, 'docs/index.html'));
  const swagger = (file: string, bytes: Buffer, contentType: string, policy = dataPolicy) =>
    pack([`/swagger/${file}`], file, bytes, contentType, policy);

  const pages: PackedPage[] = [
    pack(
      ['/docs', '/docs/'],
      'docs.html',
      reference,
      html,
      selfContainedPolicy(reference.toString()),
    ),
    swagger('index.html', Buffer.from(swaggerPage), html, swaggerPolicy),
    swagger(
      'swagger-initializer.js',
      Buffer.from(swaggerInitializer),
      'text/javascript; charset=utf-8',
    ),
    ...Object.entries(swaggerFiles).map(([file, contentType]) => {
      const bytes = readFileSync(join(root, 'node_modules/swagger-ui-dist', file));
      return swagger(
        file,
        contentType.startsWith('text/') ? withoutMap(bytes) : bytes,
        contentType,
      );
    }),
  ];
  const description: unknown = JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8'));
  write(descriptionName, JSON.stringify(description));
  write(manifestName, JSON.stringify(pages));
}

function pack(
  paths: readonly string[],
  file: string,
  bytes: Buffer,
  contentType: string,
  policy: string,
): PackedPage {
  write(file + suffixes.identity, bytes);
  write(file + suffixes.gzip, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: brotliQuality };
  write(file + suffixes.br, brotliCompressSync(bytes, { params }));
  const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { paths, file, contentType, policy, tag };
}

/** Source maps are larger than the files and are not served. */
function withoutMap(bytes: Buffer): Buffer {
  const text = bytes.toString().replace(/\n(\/\/|\/\*)# sourceMappingURL=.*\n?$/, '\n');
  return Buffer.from(text);
}

function write(file: string, content: Uint8Array | string): void {
  writeFileSync(join(packedFolder, file), content);
}
