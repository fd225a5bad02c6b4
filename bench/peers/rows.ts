import type { NormalisedEvent } from '@landline/webhook';
import type {
  CommandChange,
  ConversationChange,
  MessageChange,
  ProfileChange,
  Register,
  ToolCallChange,
} from '@landline/webhook/changes';
import { bodyBytes } from '@landline/webhook/delivery';
import type { Json } from '@landline/webhook/json';
import { Prisma } from '../../packages/store/src/generated/client.ts';

/** The values of an upsert: the whole row where there is no row, else the columns that the event names. */
export interface Upsert<Create, Update> {
  create: Create;
  update: Update;
}

/** Makes the event's row in the ledger. */
export function ledgerRow(event: NormalisedEvent): Prisma.WebhookEventCreateManyInput {
  const { delivery, eventAt, ...entry } = event.entry;
  return {
    ...entry,
    eventAt: new Date(eventAt),
    receivedAt: new Date(delivery.receivedAt),
    origin: delivery.origin ?? 'webhook',
    appliedAt: event.outcome === 'applied' ? new Date() : null,
    outcome: event.outcome,
    ...(event.outcome === 'dead' && { error: { ...event.fault } }),
    bodyBytes: bodyBytes(delivery).length,
  };
}

/** Makes the row of the event's body. */
export function bodyRow({ entry: { id, delivery } }: NormalisedEvent): Prisma.WebhookBodyCreateManyInput {
  return { receivedAt: new Date(delivery.receivedAt), eventId: id, body: bodyBytes(delivery) };
}

/** The clocks of the columns, which decide between writers, stay empty in all rows: the peers do not compare them. */
export function conversationRow({
  id,
  earliest,
  latest,
  fields,
  metadata,
  dialects,
}: ConversationChange): Upsert<Prisma.ConversationCreateInput, Prisma.ConversationUpdateInput> {
  const { deleteTranscriptAt, deleteAudioAt, ...told } = valuesOf(fields);
  const { startedAt = earliest, endedAt, status = 'in_progress', analysis, ...columns } = told;
  const update = {
    ...columns,
    ...withoutUndefined({
      dialect: dialects.get(columns.language ?? '')?.value,
      endedAt: endedAt === undefined ? undefined : new Date(endedAt),
      analysis: jsonOf(analysis),
      metadata: objectOf(metadata),
      deleteTranscriptAt: timeOf(deleteTranscriptAt),
      deleteAudioAt: timeOf(deleteAudioAt),
    }),
    status,
    updatedAt: new Date(latest),
  };
  return { create: { id, ...update, startedAt: new Date(startedAt), createdAt: new Date(earliest) }, update };
}

function timeOf(ms: number | null | undefined): Date | null | undefined {
  return typeof ms === 'number' ? new Date(ms) : ms;
}

export function messageRow(message: MessageChange): Prisma.ConversationMessageCreateManyInput {
  return {
    conversationId: message.conversation_id,
    source: message.source,
    eventKey: message.event_key,
    position: message.position,
    role: message.role,
    content: message.content,
    language: message.language,
    timeInCallSeconds: message.time_in_call_seconds,
    interrupted: message.interrupted,
    details: message.details ?? {},
    createdAt: new Date(message.created_at),
    clock: message.clock,
  };
}

export function toolCallRow(
  call: ToolCallChange,
): Upsert<Prisma.AgentToolCallCreateInput, Prisma.AgentToolCallUpdateInput> {
  const { parameters, result, details, ...columns } = valuesOf(call.fields);
  const json = withoutUndefined({ parameters: jsonOf(parameters), result: jsonOf(result), details: jsonOf(details) });
  const update = { ...columns, ...json, clock: call.clock };
  const { conversation_id: conversationId, source, request_id: requestId } = call;
  return { create: { conversationId, source, requestId, ...update, createdAt: new Date(call.earliest) }, update };
}

export function commandRow(
  command: CommandChange,
): Upsert<Prisma.UserCommandCreateInput, Prisma.UserCommandUpdateInput> {
  const { parameters, details, ...columns } = valuesOf(command.fields);
  const update = { ...columns, ...withoutUndefined({ parameters: jsonOf(parameters), details: jsonOf(details) }) };
  const { conversation_id: conversationId, action_id: actionId } = command;
  return { create: { conversationId, actionId, ...update, createdAt: new Date(command.earliest) }, update };
}

export function profileRow({
  user_id: userId,
  earliest,
  latest,
  fields,
  attributes,
  dialects,
}: ProfileChange): Upsert<Prisma.UserProfileCreateInput, Prisma.UserProfileUpdateInput> {
  const { personality, ...columns } = valuesOf(fields);
  const update = {
    ...columns,
    ...withoutUndefined({
      dialect: dialects.get(columns.language ?? '')?.value,
      personality: jsonOf(personality),
      attributes: objectOf(attributes),
    }),
    lastSeenAt: new Date(latest),
  };
  return { create: { userId, ...update, firstSeenAt: new Date(earliest) }, update };
}

type CamelCase<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Name;
type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
type ValueOf<R> = R extends Register<infer Value> ? Value : never;

/** Answers the values of an event by the column names of Prisma. */
function valuesOf<T extends { [name: string]: Register }>(
  fields: T,
): { [K in keyof T as CamelCase<K>]?: ValueOf<T[K]> } {
  const columns = Object.entries(fields).map(([name, { value }]) => {
    return [name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()), value];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names are made as the type says
  return Object.fromEntries(columns) as ReturnType<typeof valuesOf<T>>;
}

/** Leaves out the fields that are undefined, so that the update leaves their columns as they are. */
function withoutUndefined<T extends object>(fields: T): Defined<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left out is what the type leaves out
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Makes JSON's null SQL's null. */
function jsonOf(value: Json | undefined): Prisma.InputJsonValue | typeof Prisma.DbNull | undefined {
  return value === undefined ? undefined : (value ?? Prisma.DbNull);
}

function objectOf(registers: ReadonlyMap<string, Register>): Record<string, Json> | undefined {
  if (registers.size === 0) return undefined;
  return Object.fromEntries([...registers].map(([key, { value }]) => [key, value]));
}
