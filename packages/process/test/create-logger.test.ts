import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createLogger } from '../src/create-logger.ts';

function capture(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { destination: Object.assign(stream, { isTTY }), text: () => text };
}

test('writes JSON where nobody reads along', () => {
  const { destination, text } = capture(false);
  createLogger({ name: 'worker', level: 'info', destination }).info({ code: 'x' }, '✅ Message stored: conv_1');
  expect(JSON.parse(text())).toMatchObject({ level: 30, name: 'worker', code: 'x', msg: '✅ Message stored: conv_1' });
});

test('writes lines to read on a terminal', async () => {
  const { destination, text } = capture(true);
  createLogger({ name: 'worker', level: 'info', destination }).info('✅ Message stored: conv_1');
  await expect.poll(text).toContain('✅ Message stored: conv_1');
  expect(text()).not.toContain('{');
});
