import { normalise } from '@landline/webhook';
import { expect, test } from 'vitest';
import { makeConversation } from '../../../../test/support/provider/conversation.ts';
import { accountEvent } from '../../src/reconcile/account-event.ts';

test('an account with a byte order mark is the same event as without', () => {
  const bytes = Buffer.from(JSON.stringify(makeConversation({ id: 'one' })));
  const facts = { id: 'one', agentId: null, userId: null, externalNumber: null, status: 'done' as const };
  const fetched = { ...facts, startedAt: 1_000, durationSeconds: 1, bytes };
  const marked = accountEvent({ ...fetched, bytes: Buffer.concat([Buffer.from('\ufeff'), bytes]) }, 2_000);
  expect(normalise(marked.delivery).outcome).toBe('applied');
  expect(marked.id).toBe(accountEvent(fetched, 2_000).id);
});
