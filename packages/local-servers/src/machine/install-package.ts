import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startNothing } from './service-policy.ts';

const run = promisify(execFile);
const APT_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  DEBIAN_FRONTEND: 'noninteractive',
};

/**
 * Installs a Debian package as root, and neither starts nor enables the package's service. Landline runs its own server on a private
 * port, and a second server on the usual port would be in the way.
 *
 * @throws When apt-get fails: its command, and the last line of what it printed.
 */
export async function installPackage(name: string): Promise<void> {
  await apt('update');
  await startNothing(() => apt('install', '-y', '--no-install-recommends', name));
  // On a machine without systemd there is no service to disable.
  await run('systemctl', ['disable', name], { env: APT_ENVIRONMENT }).catch(() => {});
}

async function apt(...args: string[]): Promise<void> {
  try {
    await run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args], { env: APT_ENVIRONMENT });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`apt-get ${args.join(' ')}: ${output.split('\n').at(-1)}`, { cause: error });
  }
}
