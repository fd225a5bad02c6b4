import { expect, test } from 'vitest';
import { isWithheld, namesCaller, phoneNumber } from '../src/phone-number.ts';

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
  ['+266696687', '+266696687', false],
  ['+86282452253', '+86282452253', false],
  ['+8656696', '+8656696', false],
  ['+2562533', '+2562533', false],
  ['+7378742833', '+7378742833', false],
  ['7378742833', '7378742833', true],
  ['+266 696-687', '+266696687', false],
  ['UNKNOWN', 'UNKNOWN', false],
  ['Restricted', 'Restricted', false],
  ['private', 'private', false],
  ['unavailable', 'unavailable', false],
  ['Withheld', 'Withheld', false],
  ['sip:anonymous@anonymous.invalid', 'sip:anonymous@anonymous.invalid', false],
  ['<sip:Unavailable@10.0.0.1;transport=tcp>', '<sip:Unavailable@10.0.0.1;transport=tcp>', false],
  ['"Anonymous" <sip:restricted@host>;tag=77', '"Anonymous" <sip:restricted@host>;tag=77', false],
  ['sip:+266696687@trunk.example.com', '+266696687', false],
  ['tel:anonymous', 'tel:anonymous', false],
  ['sip:+12525550101@trunk.example.com', '+12525550101', true],
  ['SIPS:%2B12525550101@trunk.example.com;user=phone', '+12525550101', true],
  ['"Layla (home)" <sip:+12525550101;phone-context=x@trunk.example.com:5061>;tag=a1', '+12525550101', true],
  ['<tel:+1-252-555-0101;ext=5>', '+12525550101', true],
  ['sip:01234567890@host', '01234567890', true],
  ['whatsapp:+12525550101', '+12525550101', true],
  ['＋１２５２５５５０１０１', '+12525550101', true],
  ['\u200e+١٢٥٢٥٥٥٠١٠١', '+12525550101', true],
  ['+۱۲۵۲۵۵۵۰۱۰۱', '+12525550101', true],
  ['tel:+١٢٥٢٥٥٥٠١٠١', '+12525550101', true],
  // They may be somebody else's.
  ['0012525550101', '0012525550101', true],
  ['+1.252.555.0101 ext 5', '+1.252.555.0101 ext 5', false],
  ['whatsapp:anna', 'whatsapp:anna', false],
  ['sip:101@pbx.example.com', 'sip:101@pbx.example.com', false],
])('%j: %j, names one caller: %s', (text, number, dialled) => {
  expect(phoneNumber(text)).toBe(number);
  expect(namesCaller(phoneNumber(text))).toBe(dialled);
  expect(phoneNumber(phoneNumber(text))).toBe(number);
});

test.each([
  ['Anonymous', true],
  [' restricted ', true],
  ['sip:unavailable@10.0.0.1', true],
  ['+266696687', true],
  ['266696687', false],
  ['+12525550101', false],
  ['anonymous@example.com', false],
  ['user_anonymous', false],
])('%s in the place of a user’s id is a withheld number: %s', (text, withheld) => {
  expect(isWithheld(text)).toBe(withheld);
});
