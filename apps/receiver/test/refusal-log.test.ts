import { createLogger } from '@landline/process';
import { expect, it } from 'vitest';
import { createRefusalLog } from '../src/refusal-log.ts';

function aLog() {
  const lines: { code?: string; cause?: string; msg: string }[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const logger = createLogger({ name: 'receiver', level: 'trace', destination: { write } });
  let now = 0;
  const log = createRefusalLog(logger, () => now);
  return { log, lines, pass: (ms: number) => void (now += ms) };
}

it('a flood leaves a hundred lines, and a last one with its counts', () => {
  const { log, lines } = aLog();
  let asked = 0;
  const cause = () => `cause ${asked++}`;
  for (let i = 0; i < 100_000; i++) log.refused(i % 4 === 0 ? 'signature_missing' : 'signature_mismatch', cause);
  expect(lines).toHaveLength(100);
  expect(lines[99]).toMatchObject({ code: 'signature_mismatch', cause: 'cause 99' });
  // The cause is computed only for lines that are written.
  expect(asked).toBe(100);
  log.close();
  expect(lines).toHaveLength(101);
  expect(lines[100]?.msg).toContain('signature_missing 24975, signature_mismatch 74925');
  log.close();
  expect(lines).toHaveLength(101);
});

it('lines come back, ten a second, and up to a hundred at once after a rest', () => {
  const { log, lines, pass } = aLog();
  const flood = () => {
    const before = lines.length;
    for (let i = 0; i < 1000; i++) log.refused('signature_mismatch');
    return lines.length - before;
  };
  expect(flood()).toBe(100);
  pass(1000);
  expect(flood()).toBe(10);
  pass(50);
  expect(flood()).toBe(0);
  pass(50);
  expect(flood()).toBe(1);
  pass(3_600_000);
  expect(flood()).toBe(100);
  log.close();
});
