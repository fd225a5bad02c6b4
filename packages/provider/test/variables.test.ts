import { expect, test } from 'vitest';
import { z } from 'zod';
import { openProvider, providerVariables } from '../src/index.ts';
import { API_KEY } from './support/serve.ts';

const variables = z.object(providerVariables);

test('takes what a paste adds from the key, and slashes from the origins', () => {
  const read = variables.parse({
    ELEVENLABS_API_KEY: ` "${API_KEY}\u200b"\n`,
    ELEVENLABS_API_URL: 'https://api.eu.residency.elevenlabs.io/',
    PUBLIC_URL: 'https://calls.example.com//',
  });
  expect(read).toEqual({
    ELEVENLABS_API_KEY: API_KEY,
    ELEVENLABS_API_URL: 'https://api.eu.residency.elevenlabs.io',
    PUBLIC_URL: 'https://calls.example.com',
  });
  expect(variables.parse({})).toEqual({ ELEVENLABS_API_URL: 'https://api.elevenlabs.io' });
});

test.each([
  'https://x.example/v1',
  'https://x.example?a',
  'https://x.example#a',
  'https://u:p@x.example',
  'ftp://x.example',
  'x',
])('refuses %s as an origin', (url) => {
  const read = variables.safeParse({ ELEVENLABS_API_URL: url, PUBLIC_URL: url });
  expect(read.error?.issues.map(({ message }) => message)).toEqual([
    expect.stringContaining('ELEVENLABS_API_URL must be an origin'),
    expect.stringContaining('PUBLIC_URL must be an origin'),
  ]);
});

test('takes http for the API of this machine alone, because the key goes there', () => {
  const issuesOf = (ELEVENLABS_API_URL: string) =>
    variables.safeParse({ ELEVENLABS_API_URL }).error?.issues.map(({ message }) => message) ?? [];
  for (const host of ['localhost:1', '127.0.0.1:1', '[::1]:1']) expect(issuesOf(`http://${host}`)).toEqual([]);
  for (const host of ['api.elevenlabs.io', '10.0.0.1', '127.0.0.1.x.example', '[::2]']) {
    expect(issuesOf(`http://${host}`)).toEqual([expect.stringContaining('use https')]);
  }
  expect(variables.parse({ PUBLIC_URL: 'http://x.example' }).PUBLIC_URL).toBe('http://x.example');
});

test.each(['""', 'sk_ключ', ' '])('refuses %s as a key', (key) => {
  expect(variables.safeParse({ ELEVENLABS_API_KEY: key }).error?.issues[0]?.message).toContain(
    'ELEVENLABS_API_KEY holds',
  );
  expect(() => openProvider({ apiKey: key === '""' ? '' : key, url: 'https://x.example' })).toThrow('no key has');
});
