import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One line of a Dockerfile, continued lines joined: `{ keyword: 'RUN', value: 'npm ci' }`. */
export interface Instruction {
  readonly keyword: string;
  readonly value: string;
}

/** The instructions of one stage; `FROM … AS name` is the first of them. */
export type Stage = readonly Instruction[];

/** Reads the stages of a Dockerfile. It knows only the part of the language that Landline's uses. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [, keyword, value] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? [];
    if (keyword === undefined || value === undefined) continue;
    if (keyword === 'FROM') stages.push([]);
    stages.at(-1)?.push({ keyword, value });
  }
  return stages;
}

/** Returns the last value that a stage gives to a keyword: Docker uses the last one. */
export function valueOf(stage: Stage, keyword: string): string | undefined {
  return stage.findLast((instruction) => instruction.keyword === keyword)?.value;
}

/**
 * Runs a build stage in a folder instead of an image: its COPY and RUN lines, in their order.
 *
 * @param stage  A stage with one WORKDIR.
 * @param folders.context  The folder that `COPY` reads.
 * @param folders.workdir  The folder in place of the WORKDIR.
 */
export async function runStage(stage: Stage, folders: { context: string; workdir: string }): Promise<void> {
  for (const { keyword, value } of stage) {
    // oxlint-disable no-await-in-loop -- each step needs the one before
    if (keyword === 'COPY') await copy(value.split(' '), folders);
    if (keyword === 'RUN') await shell(value.replaceAll(/--mount=\S+\s*/g, ''), folders.workdir);
  }
}

/**
 * Copies the files that a build from `root` may read: all that git would keep, except those of .dockerignore.
 *
 * Git reads .dockerignore here, so its patterns must mean the same to git and Docker.
 */
export async function copyContext(root: string, context: string): Promise<void> {
  const kept = await git(root, ['ls-files', '--cached', '--others', '--exclude-standard', '-z']);
  const list = kept.split('\0').filter((file) => existsSync(join(root, file)));
  const asking = ['-c', 'core.excludesFile=.dockerignore', 'check-ignore', '--no-index', '--stdin', '-z'];
  const ignored = new Set((await git(root, asking, kept)).split('\0'));
  const files = list.filter((file) => file !== '' && !ignored.has(file));
  await Promise.all(files.map((file) => cp(join(root, file), join(context, file))));
}

async function git(cwd: string, args: string[], input = ''): Promise<string> {
  const answer = run('git', args, { cwd, maxBuffer: 16 * 1024 * 1024 });
  answer.child.stdin?.end(input);
  return (await answer).stdout;
}

async function copy(paths: string[], { context, workdir }: { context: string; workdir: string }): Promise<void> {
  const sources = paths.slice(0, -1);
  const target = join(workdir, paths.at(-1) ?? '');
  for (const source of sources) {
    const into = source === '.' ? target : join(target, source.split('/').at(-1) ?? '');
    await cp(join(context, source), into, { recursive: true });
  }
}

async function shell(command: string, cwd: string): Promise<void> {
  await run('sh', ['-ec', command], { cwd, env: cleanEnvironment(), maxBuffer: 64 * 1024 * 1024 });
}

/** Returns the environment of a build. Of the test run's environment it has only what npm needs to reach its registry. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept =
    /^(PATH|HOME|(https?|no)_proxy|npm_config_(registry|userconfig|globalconfig|cache)|NODE_EXTRA_CA_CERTS)$/i;
  const entries = Object.entries(process.env).filter(([name]) => kept.test(name));
  return { ...Object.fromEntries(entries), npm_config_prefer_offline: 'true' };
}
