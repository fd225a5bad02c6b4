import { startProcess } from '@landline/local-servers';
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
  const args = ['--input-type=module', '-e', PROGRAM, built];
  const { child, exited, output, until } = await startProcess({ command: process.execPath, args, env: {} });
  await until(() => output() !== '');
  child.stdout?.destroy();
  expect(await exited).toEqual([7, null]);
});
