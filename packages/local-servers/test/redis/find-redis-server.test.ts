import { expect, test } from 'vitest';
import { findRedisServer } from '../../src/redis/find-redis-server.ts';
import type { Machine } from '../../src/machine/machine.ts';

function machineWith(programs: string[], isRoot = false): Machine & { installed: string[] } {
  const installed: string[] = [];
  const has = new Set(programs);
  return {
    isRoot,
    installed,
    find: (program) => (has.has(program) ? `/usr/bin/${program}` : undefined),
    install: async (name) => {
      installed.push(name);
      has.add(name);
    },
  };
}

test.each([
  [['redis-server', 'valkey-server'], '/usr/bin/redis-server'],
  [['valkey-server'], '/usr/bin/valkey-server'],
])('finds a server where %j are installed', async (programs, path) => {
  expect(await findRedisServer(machineWith(programs))).toBe(path);
});

test('installs redis-server as root on Debian', async () => {
  const machine = machineWith(['apt-get'], true);
  expect(await findRedisServer(machine)).toBe('/usr/bin/redis-server');
  expect(machine.installed).toEqual(['redis-server']);
});

test.each([
  [['apt-get'], false, 'sudo apt-get install -y redis-server'],
  [['dnf'], false, 'sudo dnf install -y valkey || sudo dnf install -y redis'],
  [['dnf'], true, '  dnf install -y valkey || dnf install -y redis'],
  [['pacman'], false, 'sudo pacman -S --noconfirm valkey'],
  [['brew'], false, '  brew install redis'],
  [[], false, 'WSL'],
])('with %j and nothing else (root: %s) says %j', async (programs, isRoot, command) => {
  const machine = machineWith(programs, isRoot);
  const message = await findRedisServer(machine).catch((error: unknown) => error);
  expect(message).toMatchObject({ code: 'redis_missing' });
  expect(String(message)).toContain(command);
  expect(String(message)).toContain('REDIS_URL');
  expect(machine.installed).toEqual([]);
});

test('says why the installation failed', async () => {
  const cause = new Error('apt-get update: no network');
  const machine = { ...machineWith(['apt-get'], true), install: () => Promise.reject(cause) };
  await expect(findRedisServer(machine)).rejects.toMatchObject({
    cause,
    message: expect.stringMatching(/no network[^]*apt-get install -y redis-server/),
  });
});

test.each([
  [['apk'], true, '  apk add redis'],
  [['pacman'], true, '  pacman -S --noconfirm valkey'],
  [['brew', 'apt-get'], false, 'sudo apt-get install -y redis-server'],
])('names the command of the first package manager of %j (root: %s): %s', async (programs, isRoot, command) => {
  const machine = { ...machineWith(programs, isRoot), install: () => Promise.reject(new Error('never called')) };
  const { message } = await findRedisServer(machine).then(
    () => new Error('found a server'),
    (error: Error) => error,
  );
  expect(message).toContain(command);
  expect(message).not.toContain('never called');
});

test('prefers a server that is there to installing another one', async () => {
  const machine = machineWith(['apt-get', 'valkey-server'], true);
  expect(await findRedisServer(machine)).toBe('/usr/bin/valkey-server');
  expect(machine.installed).toEqual([]);
});

test('says how to install Redis where the package brings no server', async () => {
  const machine = { ...machineWith(['apt-get'], true), install: () => Promise.resolve() };
  await expect(findRedisServer(machine)).rejects.toMatchObject({
    code: 'redis_missing',
    message: expect.stringMatching(
      /^No redis-server or valkey-server on this machine\.\n {2}Install one: {2}apt-get install/,
    ),
  });
});
