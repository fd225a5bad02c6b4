import { expect, test } from 'vitest';
import { sign, SIGNATURE_HEADER } from '../src/sign.ts';

test('signs as computed by hand with openssl', () => {
  // printf '1760000000.{"a": 1}' | openssl dgst -sha256 -hmac wsec_0123456789abcdef0123456789abcdef
  expect(sign(Buffer.from('{"a": 1}'), 'wsec_0123456789abcdef0123456789abcdef', 1_760_000_000)).toBe(
    't=1760000000,v0=f2774665ab638e5d70be06a4f28b627d4f17eedb0735bc202019dc0bdfb2bf4d',
  );
});

test('writes whole seconds', () => {
  expect(sign(Buffer.from(''), 'secret', 1_760_000_000.9)).toMatch(/^t=1760000000,v0=[0-9a-f]{64}$/);
});

test('names the header as Node hands it over', () => {
  expect(SIGNATURE_HEADER).toBe('elevenlabs-signature');
});
