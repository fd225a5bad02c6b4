export { CANARY_TYPE, canaryBody, isCanary } from './canary.ts';
export type * from './changes.ts';
export { cappedClock, type Clock } from './clock.ts';
export {
  bodyBytes,
  bodyLength,
  deliveryOf,
  deliverySchema,
  WEBHOOK_PATH,
  type Delivery,
  type DeliveryBody,
  type Origin,
} from './delivery.ts';
export { EVENT_TYPES, type EventType, type EventTypeName } from './event-types.ts';
export { isObject, parseJson, type Json, type JsonObject } from './json.ts';
export { idempotencyKey } from './idempotency-key.ts';
export { LANGUAGES, readLanguage, type Language } from './language.ts';
export { normalise } from './normalise.ts';
export { peekType } from './peek-type.ts';
export { isWithheld, namesCaller, phoneNumber } from './phone-number.ts';
export { sign, SIGNATURE_HEADER } from './sign.ts';
export { webhookVariables } from './variables.ts';
export {
  verify,
  verifyBody,
  verifyHeader,
  type Refusal,
  type SignatureFault,
  type SignatureRead,
  type Verdict,
  type VerifyOptions,
} from './verify.ts';
