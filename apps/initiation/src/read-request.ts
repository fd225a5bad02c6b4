import { isObject, parseJson, type JsonObject } from '@landline/webhook/json';
import { isWithheld, namesCaller, phoneNumber } from '@landline/webhook/phone-number';

/** The longest identifier, in characters; the tables have no longer one. */
const MAX_KEY_LENGTH = 256;

/** The facts of a request about the call that is ringing. */
export interface InitiationRequest {
  /** The caller's number as the tables have it, or why there is none. */
  caller: { number: string } | { because: 'withheld' | 'no_number' };
  /** The texts that name the call and its parties, as they came. */
  call: Readonly<Partial<Record<CallField, string>>>;
}

const CALL_FIELDS = ['conversation_id', 'agent_id', 'caller_id', 'called_number', 'call_sid'] as const;
type CallField = (typeof CALL_FIELDS)[number];

/** Reads a request's body. Returns undefined where it is no JSON object. A field that is neither a text nor a number counts as missing. */
export function readRequest(body: Buffer): InitiationRequest | undefined {
  const parsed = parseJson(body.toString());
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  const { value } = parsed;
  const named = CALL_FIELDS.flatMap((name) => {
    const key = keyIn(value, name);
    return key === undefined ? [] : [[name, key] as const];
  });
  const call: InitiationRequest['call'] = Object.fromEntries(named);
  return { caller: readCaller(call.caller_id), call };
}

function keyIn(object: JsonObject, name: CallField): string | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  const key = text.trim();
  return key !== '' && key.length <= MAX_KEY_LENGTH ? key : undefined;
}

function readCaller(callerId: string | undefined): InitiationRequest['caller'] {
  if (callerId === undefined) return { because: 'no_number' };
  if (isWithheld(callerId)) return { because: 'withheld' };
  const number = phoneNumber(callerId);
  return namesCaller(number) ? { number } : { because: 'no_number' };
}
