import { expect, test } from 'vitest';
import { isDialledNumber, phoneNumber } from '../src/phone-number.ts';

test.each([
  ['+12525550101', '+12525550101', true],
  ['12525550101', '12525550101', true],
  ['+1 (252) 555-0101', '+12525550101', true],
  ['01234 567 890', '01234567890', true],
  ['+49.30.123456', '+4930123456', true],
  ['+44\u00a020\u20097946 0000', '+442079460000', true],
  ['112', '112', true],
  ['12', '12', false],
  ['anonymous', 'anonymous', false],
  ['Anonymous Caller', 'Anonymous Caller', false],
  ['sip:alice@example.com', 'sip:alice@example.com', false],
  ['+', '+', false],
  ['++12525550101', '++12525550101', false],
  ['1-800-FLOWERS', '1-800-FLOWERS', false],
  ['', '', false],
])('%j: %j, names one caller: %s', (text, number, dialled) => {
  expect(phoneNumber(text)).toBe(number);
  expect(isDialledNumber(phoneNumber(text))).toBe(dialled);
  expect(phoneNumber(phoneNumber(text))).toBe(number);
});
