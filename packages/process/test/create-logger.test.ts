import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createLogger } from '../src/create-logger.ts';
import { runProgram, START_LIMIT_MS } from './support/run-program.ts';

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

test('writes JSON where the output is no terminal', () => {
  const { destination, text } = capture(false);
  createLogger({ name: 'worker', level: 'info', destination }).info({ code: 'x' }, '✅ Message stored: conv_1');
  expect(JSON.parse(text())).toMatchObject({ level: 30, name: 'worker', code: 'x', msg: '✅ Message stored: conv_1' });
});

test('writes readable lines on a terminal', async () => {
  const { destination, text } = capture(true);
  createLogger({ name: 'worker', level: 'info', destination }).info('✅ Message stored: conv_1');
  await expect.poll(text, { timeout: 20_000 }).toContain('✅ Message stored: conv_1');
  expect(text()).not.toContain('{');
});

test('writes no line below its level', () => {
  const { destination, text } = capture(false);
  const logger = createLogger({ name: 'worker', level: 'warn', destination });
  logger.info('too low');
  logger.warn('just enough');
  expect(JSON.parse(text())).toMatchObject({ level: 40, msg: 'just enough' });
});

/** A process that logs to its own output. */
const LOGGER = "const logger = landline.createLogger({ name: 'worker', level: 'info' });";

function messagesIn(output: string): unknown[] {
  return output
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
    .map((line) => (typeof line === 'object' && line !== null && 'msg' in line ? line.msg : line));
}

test('writes every line, in order, of a process that exits at once', async () => {
  const { output, ended } = runProgram(`${LOGGER}
    for (let i = 0; i < 1000; i++) logger.info(String(i));
    process.exit(0);`);
  expect(await ended).toEqual([0, null]);
  expect(messagesIn(output())).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
});

test('writes lines while the process goes on', async () => {
  const { output } = runProgram(`${LOGGER}
    logger.info('begun');
    setInterval(() => {}, 1000);`);
  await expect.poll(output, { timeout: START_LIMIT_MS }).toContain('begun');
});

test('writes a fatal line, and the lines before it, where the process exits right after', async () => {
  const { output, ended } = runProgram(`${LOGGER}
    logger.info('begun');
    logger.fatal('cannot go on');
    process.exit(1);`);
  expect(await ended).toEqual([1, null]);
  expect(messagesIn(output())).toEqual(['begun', 'cannot go on']);
});
