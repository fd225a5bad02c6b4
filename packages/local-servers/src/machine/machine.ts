import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage } from './install-package.ts';

// Where packages put programs although an ordinary user's PATH often lacks it.
const USUAL_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin', '/snap/bin'];

/** What this machine has; an argument so that a test can say it has nothing. */
export interface Machine {
  isRoot: boolean;
  /** Full path of a program, if it is installed. */
  find: (program: string) => string | undefined;
  /** Installs a Debian package; only called as root and with apt-get at hand. */
  install: (debianPackage: string) => Promise<void>;
}

/** This machine. `searchPath` is the PATH to look along; the usual folders are looked at as well. */
export function thisMachine(searchPath = ''): Machine {
  const folders = [...searchPath.split(delimiter).filter(Boolean), ...USUAL_FOLDERS];
  return {
    isRoot: process.getuid?.() === 0,
    find: (program) => folders.map((folder) => join(folder, program)).find(isExecutable),
    install: installPackage,
  };
}

/** Tells whether packages can be installed on `machine` without asking anybody. */
export function canInstall({ isRoot, find }: Machine): boolean {
  return isRoot && find('apt-get') !== undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
