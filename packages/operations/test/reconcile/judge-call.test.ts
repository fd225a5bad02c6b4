import type { KnownCall } from '@landline/store';
import { expect, test } from 'vitest';
import { judgeKnown, judgeListed } from '../../src/reconcile/judge-call.ts';

const NOW = Date.UTC(2026, 0, 5, 9);
const MINUTE = 60_000;
const RULES = { now: NOW, keepsAudio: true, keptDays: {} };

/** A call whose account came without turns, and that has no audio. */
const KNOWN: KnownCall = {
  id: 'c',
  completeness: null,
  hasAccount: true,
  mayLackTurns: true,
  isAccountDead: false,
  hasRecording: false,
  saysAudio: false,
  isAudioToGo: false,
  isErased: false,
  wasListed: true,
  startedAt: NOW - 120 * MINUTE,
  endedAt: NOW - 119 * MINUTE,
};

test.each<[string, Partial<KnownCall>, object, string]>([
  ['its turns were left out', {}, {}, 'missing'],
  ['and its audio never came', { saysAudio: true }, {}, 'missing'],
  ['it has none', {}, { messageCount: 0 }, 'complete'],
  ['it has none, and its audio never came', { saysAudio: true }, { messageCount: 0 }, 'without_recording'],
  ['nobody counts them', {}, { messageCount: null }, 'complete'],
  ['nobody counts them any more', { completeness: 'missing' }, { messageCount: null }, 'missing'],
  ['they were fetched, or are here', { mayLackTurns: false }, {}, 'complete'],
  ['the call ended just now', {}, { startedAt: NOW - 45 * MINUTE }, 'waiting'],
  ['the call ended 45 minutes ago', {}, { startedAt: NOW - 46 * MINUTE }, 'missing'],
  ['the call goes on', {}, { status: 'in-progress' }, 'open'],
  ['it was erased', { isErased: true }, {}, 'erased'],
  ['the provider did not have it', { completeness: 'unfetchable' }, {}, 'unfetchable'],
  ['the provider did not list it', { completeness: 'unfetchable', wasListed: false }, {}, 'missing'],
  ['what it gave is dead', { completeness: 'unfetchable', wasListed: false, isAccountDead: true }, {}, 'unfetchable'],
])('an account without turns, where %s', (_where, known, listed, verdict) => {
  const call = { status: 'done' as const, startedAt: KNOWN.startedAt, durationSeconds: 60, messageCount: 2, ...listed };
  expect(judgeListed(call, { ...KNOWN, ...known }, RULES)).toBe(verdict);
});

test('an account without turns of a call that is not listed stays as it was found', () => {
  const found = (['open', 'waiting', 'missing', 'unfetchable', null] as const).map((completeness) =>
    judgeKnown({ ...KNOWN, completeness }, KNOWN, RULES),
  );
  expect(found).toEqual(['complete', 'complete', 'missing', 'unfetchable', 'complete']);
});
