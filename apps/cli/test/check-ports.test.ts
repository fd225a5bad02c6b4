import { once } from 'node:events';
import { createServer } from 'node:net';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { closeServer } from '../../../test/support/close-server.ts';
import { chooseQuietPort } from '../../../test/support/quiet-port.ts';
import { RECEIVER } from '../src/start/apps.ts';
import { checkPorts } from '../src/start/check-ports.ts';

const FOREVER = new AbortController().signal;
let env: Record<'PORT' | 'HEALTH_PORT', string>;

beforeEach(async () => {
  const [PORT, HEALTH_PORT] = [String(await chooseQuietPort()), String(await chooseQuietPort())];
  env = { PORT, HEALTH_PORT };
});

/** Takes the port of a variable. Answers how to free it. */
async function take(variable: 'PORT' | 'HEALTH_PORT'): Promise<() => Promise<void>> {
  const server = createServer().listen(Number(env[variable]), '127.0.0.1');
  await once(server, 'listening');
  let closing: Promise<void> | undefined;
  const free = () => (closing ??= closeServer(server, () => undefined));
  onTestFinished(free);
  return free;
}

const takenLine = (variable: 'PORT' | 'HEALTH_PORT') =>
  `Port ${env[variable]} of the receiver is taken: stop what uses it, or set ${variable} in .env.`;

test('passes where the ports are free', async () => {
  expect(await checkPorts(RECEIVER, env, { withinMs: 0, leaving: FOREVER })).toBeUndefined();
});

test('names every port that is taken, and the variable that changes it', async () => {
  await take('PORT');
  await take('HEALTH_PORT');
  await expect(checkPorts(RECEIVER, env, { withinMs: 0, leaving: FOREVER })).rejects.toMatchObject({
    code: 'app_failed',
    message: `${takenLine('PORT')}\n${takenLine('HEALTH_PORT')}`,
  });
});

test('waits for a port that becomes free in time', async () => {
  const free = await take('PORT');
  const checked = checkPorts(RECEIVER, env, { withinMs: 20_000, leaving: FOREVER });
  // The first check of a port takes as long as this choice of another port: so it has found the port taken.
  await chooseQuietPort();
  await chooseQuietPort();
  await free();
  expect(await checked).toBeUndefined();
});

test('names a port that is still taken when the time is over', async () => {
  await take('PORT');
  await expect(checkPorts(RECEIVER, env, { withinMs: 1, leaving: FOREVER })).rejects.toThrow(takenLine('PORT'));
});

test('ends the wait when everything is to be stopped', async () => {
  await take('PORT');
  const leaving = new AbortController();
  const checked = checkPorts(RECEIVER, env, { withinMs: 60_000, leaving: leaving.signal });
  leaving.abort();
  await expect(checked).rejects.toMatchObject({ name: 'AbortError' });
});

test.each(['many', '-1', '0.5', '70000', '0'])('leaves the port %s for the app to refuse', async (port) => {
  const wrong = { PORT: port, HEALTH_PORT: port };
  expect(await checkPorts(RECEIVER, wrong, { withinMs: 0, leaving: FOREVER })).toBeUndefined();
});
