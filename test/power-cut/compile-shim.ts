import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { canInstall, type Machine, thisMachine } from '@landline/local-servers';

const COMPILERS = ['cc', 'gcc', 'clang'];

// The build is not in the folder for temporary files, which some systems mount as noexec.
const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));

/** A compiled library to preload. */
export interface Shim {
  path: string;
  remove: () => Promise<void>;
}

const SOURCE = fileURLToPath(new URL('shim.c', import.meta.url));

/** Compiles a C file, by default shim.c. Installs a C compiler where the test runs as root and finds apt-get. */
export async function compileShim(source: string = SOURCE): Promise<Shim> {
  const compiler = await findCompiler(thisMachine(process.env['PATH']));
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'shim-'));
  const path = join(folder, 'shim.so');
  await promisify(execFile)(compiler, ['-O1', '-Wall', '-Werror', '-shared', '-fPIC', '-o', path, source, '-ldl']);
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function findCompiler(machine: Machine): Promise<string> {
  const find = () => COMPILERS.map((name) => machine.find(name)).find((path) => path !== undefined);
  if (find() === undefined && canInstall(machine)) {
    await machine.install('gcc');
    await machine.install('libc6-dev');
  }
  const found = find();
  if (found !== undefined) return found;
  throw new Error(
    'This test needs a C compiler. Install one, on Debian or Ubuntu: sudo apt-get install -y gcc libc6-dev',
  );
}
