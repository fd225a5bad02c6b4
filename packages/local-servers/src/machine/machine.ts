import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage } from './install-package.ts';

// Packages put programs into these folders, and an ordinary user's PATH often lacks some of them.
const USUAL_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin', '/snap/bin'];

/** The programs and rights of this machine. It is an argument, so that a test can stand in for a machine without programs. */
export interface Machine {
  isRoot: boolean;
  /** Answers the full path of a program; undefined when the program is not installed. */
  find: (program: string) => string | undefined;
  /** Installs a Debian package. It is called only as root, on a machine with apt-get. */
  install: (debianPackage: string) => Promise<void>;
}

/** Describes this machine. Programs are searched for on `searchPath`, which is a PATH, and then in the usual folders. */
export function thisMachine(searchPath = ''): Machine {
  const folders = [...searchPath.split(delimiter).filter(Boolean), ...USUAL_FOLDERS];
  return {
    isRoot: process.getuid?.() === 0,
    find: (program) => folders.map((folder) => join(folder, program)).find(isExecutable),
    install: installPackage,
  };
}

/** Checks whether packages can be installed on `machine` without asking the user. */
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
