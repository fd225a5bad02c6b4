import { expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

const SECRET = { ELEVENLABS_WEBHOOK_SECRET: `wsec_${'0'.repeat(40)}` };
const faultsOf = (env: Record<string, string>) => {
  const read = readConfig({ ...SECRET, ...env });
  return read.ok ? '' : read.faults;
};

it.each([
  [{}, ''],
  [{ JOURNAL_DIR: '/data/journal', SPOOL_DIR: '/data/spool', RECORDINGS_URL: 'file:/data/recordings' }, ''],
  [{ SPOOL_DIR: '/data/spool', RECORDINGS_URL: 'file:/data/spool-recordings' }, ''],
  [{ SPOOL_DIR: '/data/spool', RECORDINGS_URL: 's3://calls/data/spool' }, ''],
  [{ JOURNAL_DIR: '', SPOOL_DIR: '/data/spool' }, ''],
  [{ JOURNAL_DIR: '/data/both', SPOOL_DIR: '/data/./both/' }, '✖ SPOOL_DIR and JOURNAL_DIR must be two folders'],
  // An agent's id may look like the name of a receiver's folder.
  [{ SPOOL_DIR: '/data', RECORDINGS_URL: 'file:/data' }, '✖ RECORDINGS_URL must name a folder outside SPOOL_DIR'],
  [{ SPOOL_DIR: '/data', RECORDINGS_URL: 'file:/data/calls' }, '✖ RECORDINGS_URL must name a folder outside SPOOL_DIR'],
  [{ JOURNAL_DIR: '/data', RECORDINGS_URL: 'file:///data' }, '✖ RECORDINGS_URL must name a folder outside JOURNAL_DIR'],
])("of %j are in no one's way, or refused: %s", (env, fault) => {
  expect(faultsOf(env)).toBe(fault);
});
