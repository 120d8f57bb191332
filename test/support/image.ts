/**
 * The image without a Docker engine: the Dockerfile's steps, carried out one after the other in a
 * folder for each stage. What the base image has (Node, npm, a shell) is this machine's.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { delimiter, dirname, join, posix } from 'node:path';
import {
  type Instruction,
  listContext,
  parseCommand,
  parseDockerfile,
  parseIgnore,
} from './dockerfile.ts';
import { root } from './house.ts';
import { markName } from './leftovers.ts';

export interface Image {
  /** Where its working directory is on this machine. */
  readonly folder: string;
  /** What its processes are started with; nothing of this machine's but the path to Node. */
  readonly environment: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  remove(): void;
}

/** What npm says where it cannot reach its registry, and has not kept everything. */
const unreachable =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENOTCACHED|ENETUNREACH/;
const stepTimeoutMs = 150_000;

export class RegistryUnreachable extends Error {}

/** @throws RegistryUnreachable; an Error with the output of a step that failed. */
export async function buildImage(): Promise<Image> {
  // Not in the run's own folder, which is closed to other users. Its name goes away like that one.
  const folder = mkdtempSync(`/tmp/tasks-test-${process.env[markName] ?? process.pid}-image-`);
  chmodSync(folder, 0o755);
  function remove(): void {
    rmSync(folder, { recursive: true, force: true });
  }
  try {
    return { ...(await buildIn(folder)), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function buildIn(folder: string): Promise<Omit<Image, 'remove'>> {
  const context = join(folder, 'context');
  const patterns = parseIgnore(readFileSync(join(root, '.dockerignore'), 'utf8'));
  for (const file of listContext(patterns)) copyInto(join(root, file), join(context, file));
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  // For the image's user too, who may not reach where ours is.
  copyFileSync(process.execPath, join(programs, 'node'), constants.COPYFILE_FICLONE);

  const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const places = new Map<string, string>();
  let last: StageResult | undefined;
  for (const stage of stages) {
    const place = join(folder, `stage-${stage.name}`);
    mkdirSync(place);
    places.set(stage.name, place);
    last = await runStage(stage.instructions, { place, places, context, programs });
  }

  const { workingFolder, values, environment } = last!;
  const [uid, gid] = values.get('USER')!.split(':').map(Number);
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  if (process.getuid?.() === 0) chownSync(temporary, uid!, gid!);
  return {
    folder: workingFolder,
    environment: { ...environment, PATH: programs, TMPDIR: temporary },
    user: { uid: uid!, gid: gid! },
    command: parseCommand(values.get('CMD')!),
    healthcheck: parseCommand(values.get('HEALTHCHECK')!.replace(/^CMD\s+/, '')),
  };
}

interface StageOptions {
  /** The root of its file system. */
  readonly place: string;
  readonly places: ReadonlyMap<string, string>;
  readonly context: string;
  readonly programs: string;
}

interface StageResult {
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Of instructions that say how it is run, by keyword. */
  readonly values: ReadonlyMap<string, string>;
}

async function runStage(
  instructions: readonly Instruction[],
  options: StageOptions,
): Promise<StageResult> {
  let workingFolder = options.place;
  const environment: Record<string, string> = {};
  const values = new Map<string, string>();
  for (const instruction of instructions) {
    const { keyword, text, line } = instruction;
    switch (keyword) {
      case 'WORKDIR':
        workingFolder = join(options.place, text);
        mkdirSync(workingFolder, { recursive: true });
        break;
      case 'COPY':
        copy(instruction, workingFolder, options);
        break;
      case 'RUN':
        await runStep(instruction, workingFolder, environment, options.programs);
        break;
      case 'ENV': {
        const [, name, value] = /^(\w+)=(\S+)$/.exec(text) ?? [];
        environment[name!] = value!;
        break;
      }
      case 'CMD':
      case 'HEALTHCHECK':
      case 'USER':
        values.set(keyword, text);
        break;
      case 'EXPOSE':
      case 'LABEL':
        break;
      default:
        throw new Error(`Dockerfile:${line} ${keyword} is not carried out by this test`);
    }
  }
  return { workingFolder, environment, values };
}

/** As Docker does it: of a folder what is in it, into the target; several go into a folder. */
function copy({ flags, text, line }: Instruction, workingFolder: string, options: StageOptions) {
  const words = text.split(/\s+/);
  const target = join(workingFolder, words.at(-1)!);
  const stage = flags.get('from');
  const from = stage === undefined ? options.context : options.places.get(stage);
  if (from === undefined) throw new Error(`Dockerfile:${line} there is no stage ${stage}`);
  for (const source of words.slice(0, -1)) {
    const path = join(from, source);
    const isInto = words.at(-1)!.endsWith('/') && statSync(path).isFile();
    copyInto(path, isInto ? join(target, posix.basename(source)) : target);
  }
}

function copyInto(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

/** A mounted cache is npm's own here, which it looks into first. */
async function runStep(
  { text, line }: Instruction,
  folder: string,
  environment: Readonly<Record<string, string>>,
  programs: string,
) {
  const child = spawn('/bin/sh', ['-c', text], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: stepTimeoutMs,
    env: {
      ...environmentOfNpm(),
      ...environment,
      PATH: [programs, process.env['PATH']].join(delimiter),
      npm_config_prefer_offline: 'true',
      npm_config_fetch_retries: '1',
      [markName]: process.env[markName] ?? '',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise((done) => child.once('close', done));
  if (code === 0) return;
  if (unreachable.test(output)) throw new RegistryUnreachable(output);
  throw new Error(`Dockerfile:${line} ${text}\n${output}`);
}

/** What says how its registry is reached; nothing else of this machine. */
function environmentOfNpm(): Record<string, string> {
  const chosen = Object.entries(process.env).filter(([name]) =>
    /^(HOME|npm_config_.*|(https?|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i.test(name),
  );
  return Object.fromEntries(chosen) as Record<string, string>;
}

/** For `skip`: false where there is npm. */
export function withoutNpm(): string | false {
  return spawnSync('npm', ['--version'], { stdio: 'ignore' }).status === 0
    ? false
    : 'there is no npm in PATH';
}
