import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

const DASHBOARD_PASSWORD = 'correct horse';

function faultsOf(env: Record<string, string>): string {
  const read = readConfig(env);
  return read.ok ? '' : read.faults;
}

describe('configuration', () => {
  it('needs a password only; everything else has a default, and listens on loopback', () => {
    const config = { DASHBOARD_PORT: 3001, HOST: '127.0.0.1', DASHBOARD_USER: 'admin', LOG_LEVEL: 'info' };
    expect(readConfig({ DASHBOARD_PASSWORD })).toMatchObject({ ok: true, config });
  });

  it('takes an empty variable for an unset one', () => {
    const config = { DASHBOARD_PORT: 3001, HOST: '127.0.0.1' };
    expect(readConfig({ DASHBOARD_PASSWORD, HOST: '', DASHBOARD_PORT: '' })).toMatchObject({ ok: true, config });
  });

  it.each([
    ['no password', {}],
    ['an empty password', { DASHBOARD_PASSWORD: '' }],
    ['a short password', { DASHBOARD_PASSWORD: 'eleven char' }],
  ])('refuses %s and says how to make one', (_what, env) => {
    expect(faultsOf(env)).toMatch(/DASHBOARD_PASSWORD[^]*openssl rand/);
  });

  it('lists every fault at once, and no value', () => {
    const faults = faultsOf({
      DASHBOARD_PASSWORD: 'hush',
      DASHBOARD_PORT: '0x10',
      DASHBOARD_USER: 'a:b',
      LOG_LEVEL: 'loud',
    });
    for (const name of ['DASHBOARD_PASSWORD', 'DASHBOARD_PORT', 'DASHBOARD_USER', 'LOG_LEVEL'])
      expect(faults).toContain(name);
    expect(faults).not.toContain('hush');
  });

  it.each(['0x10', ' 12', '1e3', '65536', '-1', '3.5'])('refuses the port %j', (DASHBOARD_PORT) => {
    expect(faultsOf({ DASHBOARD_PASSWORD, DASHBOARD_PORT })).toContain('DASHBOARD_PORT');
  });

  it('reads by the reader, else by the owner, else not at all, and says so', () => {
    const own = 'postgresql://owner@localhost/landline';
    const warningsOf = (env: Record<string, string>) => {
      const read = readConfig({ DASHBOARD_PASSWORD, ...env });
      return read.ok ? (read.warnings ?? []) : ['faults'];
    };
    expect(warningsOf({ READER_DATABASE_URL: own })).toEqual([]);
    expect(warningsOf({ DATABASE_URL: own })).toEqual([expect.stringContaining('read-only')]);
    expect(warningsOf({})).toEqual([expect.stringContaining('no database')]);
    expect(faultsOf({ DASHBOARD_PASSWORD, READER_DATABASE_URL: 'mysql://hush' })).toMatch(
      /^(?!.*hush).*READER_DATABASE_URL/s,
    );
  });

  it.each(['short', 'fifteen-letters', 'a token with spaces in it'])('refuses the token %j', (API_TOKEN) => {
    const faults = faultsOf({ DASHBOARD_PASSWORD, API_TOKEN });
    expect(faults).toMatch(/API_TOKEN.*openssl rand/);
    expect(faults).not.toContain(API_TOKEN);
  });

  it('takes where recordings are, and how long journals keep events', () => {
    const env = { DASHBOARD_PASSWORD, RECORDINGS_URL: 'file:/data/recordings', JOURNAL_RETENTION_HOURS: '48' };
    expect(readConfig(env)).toMatchObject({
      config: { RECORDINGS_URL: 'file:/data/recordings', JOURNAL_RETENTION_HOURS: 48, API_TOKEN: '' },
    });
    expect(faultsOf({ ...env, RECORDINGS_URL: 'ftp://x', JOURNAL_RETENTION_HOURS: '0' })).toMatch(
      /RECORDINGS_URL[^]*JOURNAL_RETENTION_HOURS/,
    );
  });
});
