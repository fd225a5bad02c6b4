import { expect, test } from 'vitest';
import { namesPerson } from '../../src/erase/names-person.ts';

const names = namesPerson({ conversations: ['conv_1'], users: ['user-zq-4711', '17'], numbers: ['+12025550147'] });

test.each([
  [true, '{"type":"x","data":{"conversation_id":"conv_1"}}'],
  [true, '{"data":{"nested":[{"deep":"user-zq-4711"}]}}'],
  [true, '{"data":{"user_id":"17"}}'],
  [true, '{"data":{"userId":17}}'],
  [true, '{"data":{"from":"+1 (202) 555-0147"}}'],
  [true, '{"data":{"caller":"sip:+12025550147@carrier.example"}}'],
  [true, '{"data":{"by":"user\\u002dzq-4711"}}'],
  [true, 'no json, but user-zq-4711 stands in it'],
  [true, '{"cut off": "+12025550147'],
  [false, '{"data":{"user_id":"user-zq-47110","conversation_id":"conv_10"}}'],
  [false, '{"data":{"turns":17,"count":"17"}}'],
  [false, '{"data":{"message":"I spoke to user-zq-4711"}}'],
  [false, '{"data":{"number":"+12025550148"}}'],
  [false, 'no json, conv_1x and 17'],
  [false, ''],
])('%s: %s', (expected, body) => {
  expect(names(Buffer.from(body))).toBe(expected);
});

test('nobody is named by a body where nothing tells the person', () => {
  const nobody = namesPerson({ conversations: [], users: [], numbers: [] });
  expect(['{"a":""}', '', '{"user":""}', 'text'].map((body) => nobody(Buffer.from(body)))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
