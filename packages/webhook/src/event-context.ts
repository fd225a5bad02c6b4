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
import { fieldsOf, withoutEmpties, type Fields } from './fields.ts';
import type { Json, JsonObject } from './json.ts';
import { isWithheld, namesCaller } from './phone-number.ts';
import { addSpoken, readSpoken } from './spoken.ts';

/** What every event handler starts from. */
export interface EventContext {
  /** The ledger id. */
  id: string;
  /** When it was received, in unix milliseconds. */
  receivedAt: number;
  /** The id of the message, tool call or command that a live event tells of; its ledger id where it names none. */
  rowId: string;
  conversationId: string;
  /** When it happened, in unix milliseconds. */
  eventAt: number;
  /** The event's own fields: `data` and what stands beside it. */
  fields: Fields;
}

/** A handler of one event type: what the event changes. Throws `EventFaultError` for an event that makes no sense. */
export type EventHandler = (event: EventContext) => Changes;

/** Makes registers of values that are there: nothing said is nothing written. */
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

/** The changes that any event makes: its conversation has been seen, under this agent, at this time. */
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
    profile: null,
  };
}

/** A status that only goes up, as a register: the higher one stands. */
export function statusRegister(status: ConversationStatus): Register<ConversationStatus> {
  return { value: status, clock: rankClock(CONVERSATION_STATUSES.indexOf(status)) };
}

/** The rank of a final account's status: above every status that only goes up. */
const FINAL_RANK = CONVERSATION_STATUSES.length;

/** The status that an account of the finished call says, as a register: of several accounts the later one's stands. */
export function finalStatusRegister(event: EventContext, status: 'done' | 'failed'): Register<ConversationStatus> {
  return { value: status, clock: rankedLatestClock(FINAL_RANK, event.eventAt, event) };
}

/** Every key of an object as a register under one clock. */
export function registersOf(object: JsonObject, clock: Clock): Map<string, Register> {
  return new Map(Object.entries(object).map(([key, value]) => [key, { value, clock }]));
}

/** Adds keys of the metadata column to those that are there. */
export function addMetadata({ conversation }: Changes, registers: ReadonlyMap<string, Register>): void {
  for (const [key, told] of registers) conversation.metadata.set(key, told);
}

/** `registersOf` for what is told live, where an empty value says nothing. */
export function toldRegisters(object: JsonObject, clock: Clock): Map<string, Register> {
  return registersOf(withoutEmpties(object), clock);
}

/**
 * Adds what the event says of its user, if it names one: by id, else by the number of the person on the line. Reads
 * `personality` and `user_profile`. A profile outlives its calls, so the account of an old call must not stand against
 * what is heard in a new one: here the later event counts, told live or not.
 */
export function addProfile(event: EventContext, changes: Changes): void {
  const { user_id, external_number, language } = changes.conversation.fields;
  // A withheld number is nobody's, so it takes nobody's own number away either.
  const number = external_number && namesCaller(external_number.value) ? external_number : undefined;
  const userId = user_id && !isWithheld(user_id.value) ? user_id.value : undefined;
  const key = userId ?? number?.value;
  const clock = latestClock('live', event.eventAt, event);
  const personality = event.fields.content('personality');
  const told = fieldsOf(event.fields.object('user_profile'));
  if (key === undefined) return addMetadata(changes, ofNobody({ personality, told }, clock));
  const profile: ProfileChange = {
    user_id: key,
    earliest: event.eventAt,
    latest: event.eventAt,
    fields: {},
    dialects: new Map(),
    attributes: new Map(),
  };
  if (language === undefined) addSpoken(profile, readSpoken(told), clock);
  for (const [name, dialect] of changes.conversation.dialects) profile.dialects.set(name, acrossCalls(dialect));
  Object.assign(
    profile.fields,
    defined<ProfileChange['fields']>({
      language: language && acrossCalls(language),
      personality: register(personality ?? told.content('personality'), clock),
      phone_number: number && acrossCalls(number),
    }),
  );
  profile.attributes = toldRegisters(told.rest(), clock);
  changes.profile = profile;
}

/** What is said of a user whom the event does not name, as keys of the metadata: each attribute is a register of its own here too. */
function ofNobody({ personality, told }: { personality: Json | undefined; told: Fields }, clock: Clock) {
  const registers = new Map<string, Register>();
  const trait = personality ?? told.content('personality');
  if (trait !== undefined) registers.set('personality', { value: trait, clock });
  for (const [name, attribute] of toldRegisters(told.rest(), clock)) registers.set(`user_profile.${name}`, attribute);
  return registers;
}

function acrossCalls<T>(told: Register<T>): Register<T> {
  return { value: told.value, clock: cappedClock('live', told.clock) };
}
