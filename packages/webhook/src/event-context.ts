import {
  CONVERSATION_STATUSES,
  type Changes,
  type ConversationStatus,
  type ProfileChange,
  type Register,
} from './changes.ts';
import {
  cappedClock,
  earliestClock,
  latestClock,
  rankClock,
  rankedLatestClock,
  type Authority,
  type Clock,
} from './clock.ts';
import type { Recording } from './delivery.ts';
import { fieldsOf, withoutEmpties, type Fields } from './fields.ts';
import type { Json, JsonObject } from './json.ts';
import { isWithheld, namesCaller } from './phone-number.ts';
import { addSpoken, readSpoken } from './spoken.ts';

/** The input of every event handler. */
export interface EventContext {
  /** The ledger id. */
  id: string;
  /** The event's receipt, in unix milliseconds. */
  receivedAt: number;
  /** Whether Landline fetched it from the provider: its origin is `backfill`. */
  isFetched?: boolean | undefined;
  /**
   * The id of the message, tool call or command that a live event describes; the ledger id where the event names none.
   */
  rowId: string;
  conversationId: string;
  /** The event's time, in unix milliseconds. */
  eventAt: number;
  /** The event's own fields: `data` and the fields beside it. */
  fields: Fields;
  /** The audio that was cut out of the body; undefined where the body is whole. */
  recording?: Recording | undefined;
}

/**
 * A handler of one event type: returns the event's changes. Throws `EventFaultError` for an event that makes no sense.
 */
export type EventHandler = (event: EventContext) => Changes;

/** Makes a register of a value; undefined where the value is undefined, so that an absent field writes nothing. */
export function register<T>(value: T | undefined, clock: Clock): Register<T> | undefined {
  return value === undefined ? undefined : { value, clock };
}

/** Leaves out the keys whose value is undefined. */
export function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const present: Partial<T> = {};
  for (const name in fields) if (fields[name] !== undefined) present[name] = fields[name];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop does what the type says
  return present as T;
}

/**
 * Returns the changes that every event makes: its conversation exists, with this agent, user and status, since this
 * time.
 */
export function changesOf(event: EventContext, authority: Authority, status: ConversationStatus): Changes {
  const clock = latestClock(authority, event.eventAt, event);
  return {
    conversation: {
      id: event.conversationId,
      earliest: event.eventAt,
      latest: event.eventAt,
      fields: defined({
        agent_id: register(event.fields.key('agent_id'), clock),
        user_id: register(event.fields.key('user_id'), clock),
        status: statusRegister(status),
        started_at: { value: event.eventAt, clock: earliestClock('seen', event.eventAt, event) },
      }),
      metadata: new Map(),
      dialects: new Map(),
      transcript: null,
    },
    messages: [],
    toolCalls: [],
    commands: [],
    recordings: [],
    profile: null,
  };
}

/** Makes the register of a status that can only rise. */
export function statusRegister(status: ConversationStatus): Register<ConversationStatus> {
  return { value: status, clock: rankClock(CONVERSATION_STATUSES.indexOf(status)) };
}

/** The rank of the status in an account of the finished call: above every status that can only rise. */
const FINAL_RANK = CONVERSATION_STATUSES.length;

/** Makes the register of a finished call's status. Of several accounts the latest stands. */
export function finalStatusRegister(event: EventContext, status: 'done' | 'failed'): Register<ConversationStatus> {
  return { value: status, clock: rankedLatestClock(FINAL_RANK, event.eventAt, event) };
}

/** Makes a register of each key of an object, all under one clock. */
export function registersOf(object: JsonObject, clock: Clock): Map<string, Register> {
  return new Map(Object.entries(object).map(([key, value]) => [key, { value, clock }]));
}

/** Adds keys to the metadata column. */
export function addMetadata({ conversation }: Changes, registers: ReadonlyMap<string, Register>): void {
  for (const [key, written] of registers) conversation.metadata.set(key, written);
}

/** `registersOf` for a live event, in which an empty value writes nothing. */
export function liveRegisters(object: JsonObject, clock: Clock): Map<string, Register> {
  return registersOf(withoutEmpties(object), clock);
}

/**
 * Adds the profile of the event's user, where the event identifies the user by id or by the caller's number. Where it
 * does not, the words about the user go to the metadata. Reads `personality` and `user_profile`.
 *
 * A profile outlives its calls. An old call's account must not outrank a new call's live events, so here the later
 * event wins.
 */
export function addProfile(event: EventContext, changes: Changes): void {
  const { user_id, external_number, language } = changes.conversation.fields;
  // A withheld number identifies no caller, so it must not replace a caller's own number.
  const number = external_number && namesCaller(external_number.value) ? external_number : undefined;
  const userId = user_id && !isWithheld(user_id.value) ? user_id.value : undefined;
  const key = userId ?? number?.value;
  const clock = latestClock('live', event.eventAt, event);
  const personality = event.fields.content('personality');
  const profileFields = fieldsOf(event.fields.object('user_profile'));
  if (key === undefined) return addMetadata(changes, profileMetadata({ personality, profileFields }, clock));
  const profile: ProfileChange = {
    user_id: key,
    earliest: event.eventAt,
    latest: event.eventAt,
    fields: {},
    dialects: new Map(),
    attributes: new Map(),
  };
  if (language === undefined) addSpoken(profile, readSpoken(profileFields), clock);
  for (const [name, dialect] of changes.conversation.dialects) profile.dialects.set(name, acrossCalls(dialect));
  Object.assign(
    profile.fields,
    defined<ProfileChange['fields']>({
      language: language && acrossCalls(language),
      personality: register(personality ?? profileFields.content('personality'), clock),
      phone_number: number && acrossCalls(number),
    }),
  );
  profile.attributes = liveRegisters(profileFields.rest(), clock);
  changes.profile = profile;
}

/**
 * Returns an unidentified user's personality and attributes as keys of the metadata. Each attribute is a register of
 * its own.
 */
function profileMetadata(
  { personality, profileFields }: { personality: Json | undefined; profileFields: Fields },
  clock: Clock,
): Map<string, Register> {
  const registers = new Map<string, Register>();
  const trait = personality ?? profileFields.content('personality');
  if (trait !== undefined) registers.set('personality', { value: trait, clock });
  for (const [name, attribute] of liveRegisters(profileFields.rest(), clock))
    registers.set(`user_profile.${name}`, attribute);
  return registers;
}

function acrossCalls<T>({ value, clock }: Register<T>): Register<T> {
  return { value, clock: cappedClock('live', clock) };
}
