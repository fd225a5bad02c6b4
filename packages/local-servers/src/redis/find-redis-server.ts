import { LocalServerError } from '../errors.ts';
import { canInstall, type Machine } from '../machine/machine.ts';

const SERVERS = ['redis-server', 'valkey-server'];

const INSTALL_COMMANDS: readonly (readonly [manager: string, command: string, needsRoot: boolean])[] = [
  ['apt-get', 'apt-get install -y redis-server', true],
  ['dnf', 'dnf install -y valkey || dnf install -y redis', true],
  ['pacman', 'pacman -S --noconfirm valkey', true],
  ['apk', 'apk add redis', true],
  ['brew', 'brew install redis', false],
];

/**
 * Finds `redis-server` or `valkey-server`. It installs `redis-server` where neither is there and this process is root and has apt-get.
 *
 * @returns The server's full path.
 * @throws  {LocalServerError} `redis_missing`: the message names the command that installs Redis on this machine.
 */
export async function findRedisServer(machine: Machine): Promise<string> {
  const found = findServer(machine);
  if (found !== undefined) return found;
  let cause: unknown;
  if (canInstall(machine)) {
    await machine.install('redis-server').catch((error: unknown) => {
      cause = error;
    });
  }
  const installed = findServer(machine);
  if (installed !== undefined) return installed;
  throw new LocalServerError('redis_missing', missingMessage(machine, cause), { cause });
}

function findServer(machine: Machine): string | undefined {
  return SERVERS.map((name) => machine.find(name)).find((path) => path !== undefined);
}

function missingMessage(machine: Machine, cause: unknown): string {
  const why = cause instanceof Error ? ` Installing it failed: ${cause.message}.` : '';
  return `No redis-server or valkey-server on this machine.${why}
  Install one:  ${installCommand(machine)}
  or use one that runs elsewhere: set REDIS_URL in .env (redis://host:6379).`;
}

function installCommand({ find, isRoot }: Machine): string {
  const known = INSTALL_COMMANDS.find(([manager]) => find(manager) !== undefined);
  if (known === undefined) return 'the package redis or valkey of your system (on Windows: run Landline in WSL)';
  const [, command, needsRoot] = known;
  return needsRoot && !isRoot ? command.replaceAll(/(^|\|\| )/g, '$1sudo ') : command;
}
