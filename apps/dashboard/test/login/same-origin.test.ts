import { describe, expect, it } from 'vitest';
import { isOwnRequest } from '../../src/login/same-origin.ts';

const host = 'board.example:3001';

describe('cross-site requests', () => {
  it.each([
    ['reading, from anywhere', 'GET', { 'sec-fetch-site': 'cross-site' }],
    ['the board itself', 'PUT', { 'sec-fetch-site': 'same-origin' }],
    ['what the user typed', 'POST', { 'sec-fetch-site': 'none' }],
    ['the board over plain http, where Sec-Fetch-Site is not sent', 'PUT', { origin: `http://${host}` }],
    ['a script with credentials', 'PUT', {}],
  ])('lets pass %s', (_what, method, headers) => {
    expect(isOwnRequest(method, { host, ...headers })).toBe(true);
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling subdomain', { 'sec-fetch-site': 'same-site' }],
    ['another site with our origin', { 'sec-fetch-site': 'cross-site', origin: `https://${host}` }],
    ['an unknown value', { 'sec-fetch-site': '' }],
    ['another origin', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://board.example:3002' }],
    ['a sandboxed page', { origin: 'null' }],
    ['an origin that is none', { origin: 'board.example:3001' }],
  ])('refuses %s', (_what, headers) => {
    expect(isOwnRequest('PUT', { host, ...headers })).toBe(false);
  });

  it('refuses an origin without a host to hold it against', () => {
    expect(isOwnRequest('PUT', { origin: 'null' })).toBe(false);
    expect(isOwnRequest('PUT', { origin: 'file:///' })).toBe(false);
  });
});
