import { expect, test } from 'vitest';
import { bodyKey, recordingKey } from '../../src/storage/recording-key.ts';
import { isKey, markedKey } from '../../src/storage/recording-key.ts';

const FACTS = {
  agentId: 'agent_01',
  conversationId: 'conv_01',
  eventAt: Date.UTC(2026, 2, 1, 23, 59, 59),
  eventId: '0b7e0f9c-6f4c-4a52-9d2e-0c3b0a1d2e3f',
};

const conversation = (conversationId: string): string => recordingKey({ ...FACTS, conversationId });

test('names agent, UTC date and conversation', () => {
  expect(recordingKey(FACTS)).toBe('agent_01/2026/03/01/conv_01.mp3');
  expect(bodyKey(FACTS)).toBe('agent_01/2026/03/01/conv_01.0b7e0f9c-6f4c-4a52-9d2e-0c3b0a1d2e3f.json');
});

test.for([undefined, NaN, Infinity, 1e15, -1e15])('is undated for the time %d', (eventAt) => {
  expect(recordingKey({ ...FACTS, eventAt })).toBe('agent_01/undated/conv_01.mp3');
});

test.for([null, ''])('has a name where an id is missing: %s', (missing) => {
  expect(recordingKey({ ...FACTS, agentId: missing, conversationId: missing })).toBe(
    'unknown/2026/03/01/0b7e0f9c-6f4c-4a52-9d2e-0c3b0a1d2e3f.mp3',
  );
});

test.for([
  '..',
  '.',
  '...',
  '/',
  '../../etc/passwd',
  '.ssh',
  'a/b',
  'a\\b',
  'a\0b',
  'محادثة',
  'a b',
  '~',
  'x'.repeat(5000),
  'a..b',
])('makes the hostile id %j into a name of one folder', (id) => {
  const facts = { ...FACTS, agentId: id, conversationId: id, eventId: id };
  const keys = [recordingKey(facts), bodyKey(facts)];
  expect(keys.map(isKey)).toEqual([true, true]);
  expect(keys.join('/')).toMatch(/^[A-Za-z0-9._/-]+$/);
  expect(keys.join('/')).not.toContain('..');
  expect(keys.join('/').split('/')).toHaveLength(10);
  expect(
    Math.max(
      ...keys
        .join('/')
        .split('/')
        .map((name) => name.length),
    ),
  ).toBeLessThanOrEqual(250);
});

test('keeps 120 letters of an id, and no more', () => {
  expect(conversation('x'.repeat(120))).toBe(`agent_01/2026/03/01/${'x'.repeat(120)}.mp3`);
  expect(conversation('x'.repeat(121))).toMatch(/\/x{103}-[0-9a-f]{16}\.mp3$/);
});

test('gives two ids two names', () => {
  const ids = ['a b', 'a-b', 'a/b', 'a_b', 'a..b', 'a.b', '.a', 'a', 'x'.repeat(121), 'x'.repeat(122), '-', '/', ' '];
  // An id that is the name of another id.
  ids.push(
    ...ids
      .map((id) => conversation(id).slice('agent_01/2026/03/01/'.length, -'.mp3'.length))
      .filter((name) => !ids.includes(name)),
  );
  expect(ids.length).toBeGreaterThan(20);
  expect(new Set(ids.map(conversation)).size).toBe(ids.length);
});

test('gives no id the name that another content of an id gets', () => {
  const sha256 = 'ab'.repeat(32);
  expect(markedKey(conversation('conv'), sha256)).toBe('agent_01/2026/03/01/conv-abababababababab.mp3');
  expect(conversation('conv-abababababababab')).not.toBe('agent_01/2026/03/01/conv-abababababababab.mp3');
});
