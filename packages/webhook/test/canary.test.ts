import { expect, test } from 'vitest';
import { canaryBody, isCanary } from '../src/canary.ts';
import { normalise } from '../src/normalise.ts';
import { peekType } from '../src/peek-type.ts';

const SENT_AT = 1_739_537_297_123;

const read = (body: string) =>
  normalise({ receivedAt: SENT_AT + 5, signedAt: 1_739_537_297, secretId: 'test', encoding: 'utf8', body });

test('a canary is an event that changes no table, of the time when it was sent', () => {
  const event = read(canaryBody(SENT_AT).toString());
  expect(event).toMatchObject({ outcome: 'ignored', entry: { type: 'landline.canary', eventAt: SENT_AT } });
  expect(isCanary(event)).toBe(true);
});

test('no two canaries are one event, though they are sent at the same time', () => {
  const [one, other] = [canaryBody(SENT_AT), canaryBody(SENT_AT)].map((body) => read(body.toString()).entry.id);
  expect(one).not.toBe(other);
});

test('the receiver knows one without parsing it', () => {
  expect(peekType(canaryBody(SENT_AT).toString())).toBe('landline.canary');
});

test.each([
  '{"type": "conversation.started", "data": {"conversation_id": "landline.canary"}}',
  '{"type": "dubbing.finished", "event": "landline.canary"}',
  '{"data": {"type": "landline.canary"}}',
  'landline.canary',
])('no other event is one: %s', (body) => {
  expect(isCanary(read(body))).toBe(false);
});
