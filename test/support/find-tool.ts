import { thisMachine } from '@landline/local-servers';

/**
 * Returns the full path of a program that a test runs; throws with the command to type where it is missing.
 *
 * `npm test` as root on Debian installs the program before.
 */
export function findTool(program: string, debianPackage: string): string {
  const found = thisMachine(process.env['PATH']).find(program);
  if (found !== undefined) return found;
  throw new Error(`${program} is not on this machine. Install it, on Debian: apt-get install -y ${debianPackage}`);
}
