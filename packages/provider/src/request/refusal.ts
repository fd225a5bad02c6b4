import { parseJson, isObject, type Json } from '@landline/webhook/json';
import { ProviderError, type ProviderFault } from '../errors.ts';
import { askedPause } from './asked-pause.ts';
import { TransientError } from './transient-error.ts';

/** What a request is for, in words for the operator. */
export interface Purpose {
  /** Such as `the list of conversations`. */
  what: string;
  /** The permission that the key needs for it, as the provider names it. */
  permission: string;
}

/** What the provider says of a refusal: its own word for it, the permission that it misses, and the fields that it does not take. */
interface Detail {
  isJson: boolean;
  word: string | undefined;
  permission: string | undefined;
  /** Of a 422. */
  fields: { loc: string; msg: string }[];
}

const WHERE_KEYS_ARE = 'ElevenLabs > Developers > API Keys';
const MAX_FIELDS = 5;
const MAX_TEXT = 120;

/** The provider's words for a refusal, such as `missing_permissions`. Anything else in their place may quote the request. */
const WORD = /^[a-z][a-z_]{0,47}$/;
const PERMISSION = /\bpermissions? ([a-z]{2,24}_[a-z_]{2,40})\b/;

/**
 * Makes the error of an answer that is no success.
 *
 * @param body  The beginning of the answer's body. The error quotes the provider's words for the fault alone.
 * @returns     A `TransientError` where the request may be made again.
 */
export function refusalOf(response: Response, body: Buffer, purpose: Purpose): ProviderError | TransientError {
  const detail = readDetail(body);
  const fault = faultOf(response.status, detail);
  const error = errorOf(fault, response, { detail, purpose });
  return fault === 'busy' || fault === 'unavailable'
    ? new TransientError(error, askedPause(response, Date.now()))
    : error;
}

/** Tells whether the provider has answered that there are too many requests at once. */
export function isCrowded(status: number, body: Buffer): boolean {
  return status === 429 && readDetail(body).word === 'too_many_concurrent_requests';
}

/** What a refusal can be: it says nothing of what the provider has. */
type Refusal = Exclude<ProviderFault, 'unusable'>;

function faultOf(status: number, { isJson, word, permission, fields }: Detail): Refusal {
  if (status === 429) return 'busy';
  if (status === 408 || status >= 500) return 'unavailable';
  // A page of a proxy or firewall says nothing about the key, or about a conversation.
  if (status < 400 || !isJson) return 'bad_answer';
  if (word === 'invalid_api_key') return 'unauthorized';
  if (word === 'missing_permissions' || permission !== undefined || status === 402 || status === 403)
    return 'forbidden';
  if (status === 401) return word === 'quota_exceeded' ? 'refused' : 'unauthorized';
  if (status === 404 || status === 410) return 'not_found';
  // The provider checks the form of an id before it looks for it.
  if (status === 422 && fields.some(({ loc }) => loc.startsWith('path'))) return 'not_found';
  return 'refused';
}

function errorOf(
  fault: Refusal,
  response: Response,
  { detail, purpose }: { detail: Detail; purpose: Purpose },
): ProviderError {
  const { status } = response;
  const isForbidden = fault === 'forbidden';
  const permission = isForbidden ? permissionOf(detail, purpose) : undefined;
  const said = [`${status}`, detail.word, redirectOf(response)].filter((part) => part !== undefined).join(', ');
  const facts = { said, what: purpose.what, permission, origin: originOf(response) };
  return new ProviderError(fault, `${ADVICE[fault](facts)}${fieldsIn(detail)}`, { status, permission });
}

/** A key that lacks a permission is told which. Another 403 has other reasons, such as the plan. */
function permissionOf({ word, permission }: Detail, purpose: Purpose): string | undefined {
  return permission ?? (word === 'missing_permissions' ? purpose.permission : undefined);
}

interface Facts {
  said: string;
  what: string;
  permission: string | undefined;
  origin: string;
}

const ADVICE: Record<Refusal, (facts: Facts) => string> = {
  unauthorized: ({ said, origin }) =>
    `ElevenLabs at ${origin} does not know this API key (${said}). Make one under ${WHERE_KEYS_ARE}, set ELEVENLABS_API_KEY, and check that ELEVENLABS_API_URL is that of the workspace's region.`,
  forbidden: ({ said, what, permission }) =>
    permission === undefined
      ? `ElevenLabs does not give this API key ${what} (${said}). Check the workspace's plan, and what the maker of the key may see.`
      : `The API key lacks the permission ${permission}, which ${what} needs (${said}). Give it the permission under ${WHERE_KEYS_ARE}.`,
  not_found: ({ said, what }) => `ElevenLabs does not have ${what}, or this API key does not see it (${said}).`,
  refused: ({ said, what }) => `ElevenLabs does not take the request for ${what} (${said}).`,
  busy: ({ said, what }) => `ElevenLabs is too busy for ${what} (${said}).`,
  unavailable: ({ said, what }) => `ElevenLabs fails to give ${what} (${said}). Try again later.`,
  bad_answer: ({ said, what, origin }) =>
    `What answers at ${origin} is not ElevenLabs' API: asked for ${what}, it says ${said}. Check ELEVENLABS_API_URL and the proxy.`,
};

function originOf({ url }: Response): string {
  return URL.canParse(url) ? new URL(url).origin : 'ELEVENLABS_API_URL';
}

/** Names the server that an answer sends on to. The rest of the address is not told: nobody knows what it holds. */
function redirectOf({ url, headers }: Response): string | undefined {
  const location = headers.get('location');
  return location !== null && URL.canParse(location, url)
    ? `which sends on to ${new URL(location, url).origin}`
    : undefined;
}

function fieldsIn({ fields }: Detail): string {
  const told = fields.map(({ loc, msg }) => `${loc}: ${msg}`).join('; ');
  return told === '' ? '' : ` It says: ${told}.`;
}

function readDetail(body: Buffer): Detail {
  const parsed = parseJson(body.toString());
  const value = parsed.ok && isObject(parsed.value) ? parsed.value : undefined;
  const detail = value?.['detail'];
  const inner = isObject(detail) ? detail : undefined;
  const message = inner?.['message'] ?? detail;
  return {
    isJson: value !== undefined,
    word: [inner?.['status'], inner?.['code']].find(isWord),
    permission: typeof message === 'string' ? PERMISSION.exec(message)?.[1] : undefined,
    fields: Array.isArray(detail) ? detail.slice(0, MAX_FIELDS).flatMap(fieldOf) : [],
  };
}

function isWord(value: Json | undefined): value is string {
  return typeof value === 'string' && WORD.test(value);
}

function fieldOf(value: Json): Detail['fields'] {
  if (!isObject(value)) return [];
  const { loc, msg } = value;
  const path = Array.isArray(loc) ? loc.filter((part) => typeof part !== 'object').join('.') : '';
  return [{ loc: path.slice(0, MAX_TEXT), msg: typeof msg === 'string' ? msg.slice(0, MAX_TEXT) : 'wrong' }];
}
