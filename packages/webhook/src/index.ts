export type { NormalisedEvent } from './changes.ts';
export { WEBHOOK_PATH, type Delivery } from './delivery.ts';
export { EVENT_TYPES, type EventType, type EventTypeName } from './event-types.ts';
export { idempotencyKey, keyOfHash } from './idempotency-key.ts';
export { normalise } from './normalise.ts';
export { peekType } from './peek-type.ts';
export { sign, SIGNATURE_HEADER } from './sign.ts';
export { webhookVariables } from './variables.ts';
