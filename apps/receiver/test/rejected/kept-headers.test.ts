import { expect, it } from 'vitest';
import { keptHeaders, keptSignature } from '../../src/rejected/kept-headers.ts';

const raw = (headers: Record<string, string>) => Object.entries(headers).flat();

it('leaves out what holds a secret by its name, and the signature', () => {
  const kept = { 'content-type': 'application/json', 'user-agent': 'x', 'x-forwarded-for': '1.2.3.4', 'x-odd': 'y' };
  const secret = {
    authorization: 'Bearer x',
    'proxy-authorization': 'x',
    cookie: 'a=b',
    'set-cookie': 'a=b',
    'x-landline-token': 'x',
    'x-api-key': 'x',
    'xi-api-key': 'x',
    'x-apikey': 'x',
    'x-amz-security-token': 'x',
    'x-csrf-token': 'x',
    'client-secret': 'x',
    'x-session-id': 'x',
    'elevenlabs-signature': 't=1,v0=2',
  };
  expect(keptHeaders(raw({ ...secret, ...kept }))).toEqual(kept);
});

it('keeps 32 headers of 512 characters, and 4,096 characters in all', () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'y']));
  expect(Object.keys(keptHeaders(raw(many)))).toHaveLength(32);
  expect(keptHeaders(['X-Long', 'y'.repeat(600)])).toEqual({ 'x-long': 'y'.repeat(512) });
  const large = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'y'.repeat(512)]));
  expect(Object.keys(keptHeaders(raw(large)))).toHaveLength(7);
});

it('joins the values of a header that was sent twice', () => {
  expect(keptHeaders(['Via', 'a', 'x', '1', 'VIA', 'b'])).toEqual({ via: 'a, b', x: '1' });
});

it('keeps a signature header as it was sent, within bounds', () => {
  expect(keptSignature(undefined)).toBeNull();
  expect(keptSignature('')).toBe('');
  expect(keptSignature(['a', ''])).toEqual(['a', '']);
  expect(keptSignature('v'.repeat(9000))).toBe('v'.repeat(2048));
  expect(keptSignature(Array.from({ length: 50 }, () => 'v'.repeat(9000)))).toEqual(
    Array.from({ length: 8 }, () => 'v'.repeat(2048)),
  );
});
