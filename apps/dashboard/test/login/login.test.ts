import { describe, expect, it } from 'vitest';
import { loginCheck } from '../../src/login/login.ts';

const login = { user: 'admin', password: 'pässword: with a colon' };
const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

describe('login', () => {
  const isLoggedIn = loginCheck(login);

  it('takes the right user and password, colons and UTF-8 included', () => {
    expect(isLoggedIn(basic(`${login.user}:${login.password}`))).toBe(true);
    expect(isLoggedIn(basic(`${login.user}:${login.password}`).replace('Basic', 'basic'))).toBe(true);
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['another scheme', `Bearer ${login.password}`],
    ['the scheme alone', 'Basic'],
    ['no base64', 'Basic %%%'],
    ['no colon', basic('admin')],
    ['empty halves', basic(':')],
    ['another user', basic(`root:${login.password}`)],
    ['another password', basic('admin:pässword')],
    ['a longer password', basic(`admin:${login.password} `)],
    ['the halves swapped', basic(`${login.password}:admin`)],
  ])('refuses %s', (_what, header) => {
    expect(isLoggedIn(header)).toBe(false);
  });
});
