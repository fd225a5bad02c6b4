import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

const PROGRAM = `
  const { createLogger } = await import(process.argv[1]);
  const logger = createLogger({ name: 'test', level: 'info' });
  for (let i = 0; i < 200; i++) {
    logger.info('line');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  process.exitCode = 7;
`;

test('goes on where the reader of its log goes away', async () => {
  const built = new URL('../dist/index.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, built], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await once(child, 'exit')).toEqual([7, null]);
});
