import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
/** The files that the set-up generates, and generates again only when their inputs change. */
const GENERATED = 'packages/store/src/generated';

/** Makes a repository in `folder` that can be cloned: with all files of this one that Git would keep, as they are now. */
export async function makeRepository(folder: string): Promise<void> {
  const kept = await git(ROOT, ['ls-files', '--cached', '--others', '--exclude-standard', '-z']);
  const files = kept.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)));
  await Promise.all(files.map((file) => cp(join(ROOT, file), join(folder, file))));
  await git(folder, ['init', '--quiet', '--initial-branch=main']);
  await git(folder, ['add', '--all']);
  // The user's own settings may ask for more at a commit, such as a signature.
  const settings = [
    'user.name=reader',
    'user.email=reader@example.com',
    'commit.gpgSign=false',
    'core.hooksPath=/dev/null',
  ];
  const options = settings.flatMap((setting) => ['-c', setting]);
  await git(folder, [...options, 'commit', '--quiet', '--message=as it is']);
}

/**
 * Gives a clone the packages that are installed here, so that its first `npm start` finds them. Each package is a link to the one
 * here, except Landline's own, which link to the clone's folders. The clone also gets the files that Prisma has generated here.
 */
export async function installPackages(clone: string): Promise<void> {
  const [from, to] = [join(ROOT, 'node_modules'), join(clone, 'node_modules')];
  await mkdir(join(to, '@landline'), { recursive: true });
  const names = (await readdir(from)).filter((name) => name !== '@landline' && !/^\.(vite|cache)/.test(name));
  await Promise.all(names.map((name) => symlink(join(from, name), join(to, name))));
  // npm's own links lead from node_modules/@landline to ../../apps and ../../packages.
  await cp(join(from, '@landline'), join(to, '@landline'), { recursive: true, verbatimSymlinks: true });
  if (existsSync(join(ROOT, GENERATED))) await cp(join(ROOT, GENERATED), join(clone, GENERATED), { recursive: true });
}

/** Gives a clone Turborepo's cache, so that its first `npm start` builds only what differs. New builds stay in the clone. */
export async function shareBuilds(clone: string): Promise<void> {
  const from = await findBuildCache();
  const to = join(clone, '.turbo', 'cache');
  const names = await readdir(from).catch(() => []);
  await mkdir(to, { recursive: true });
  await Promise.all(names.map((name) => symlink(join(from, name), join(to, name))));
}

/** Returns the folder of Turborepo's cache. Linked working trees share that of the first one. */
async function findBuildCache(): Promise<string> {
  const common = (await git(ROOT, ['rev-parse', '--path-format=absolute', '--git-common-dir'])).trim();
  const places = [ROOT, dirname(common)].map((root) => join(root, '.turbo', 'cache'));
  return places.find((place) => existsSync(place)) ?? '';
}

async function git(cwd: string, args: string[]): Promise<string> {
  return (await run('git', args, { cwd, maxBuffer: 16 * 1024 * 1024 })).stdout;
}
