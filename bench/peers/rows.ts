import type {
  CommandChange,
  ConversationChange,
  Json,
  MessageChange,
  NormalisedEvent,
  ProfileChange,
  Register,
  ToolCallChange,
} from '@landline/webhook';
import { Prisma } from '../../packages/store/src/generated/client.ts';

/** What an upsert writes: the whole row where there is none, else what the event tells. */
export interface Upsert<Create, Update> {
  create: Create;
  update: Update;
}

/** The event's row in the ledger. */
export function ledgerRow(event: NormalisedEvent): Prisma.WebhookEventCreateManyInput {
  const { encoding, body, eventAt, receivedAt, ...entry } = event.entry;
  return {
    ...entry,
    eventAt: new Date(eventAt),
    receivedAt: new Date(receivedAt),
    appliedAt: event.outcome === 'applied' ? new Date() : null,
    outcome: event.outcome,
    ...(event.outcome === 'dead' && { error: { ...event.fault } }),
    body: Buffer.from(body, encoding),
  };
}

/** The clocks that tell Landline who wrote which column stay empty in all rows: the peers do not compare them. */
export function conversationRow({
  id,
  earliest,
  latest,
  fields,
  metadata,
  dialects,
}: ConversationChange): Upsert<Prisma.ConversationCreateInput, Prisma.ConversationUpdateInput> {
  const update = {
    ...told({
      agentId: fields.agent_id?.value,
      userId: fields.user_id?.value,
      channel: fields.channel?.value,
      direction: fields.direction?.value,
      externalNumber: fields.external_number?.value,
      agentNumber: fields.agent_number?.value,
      callSid: fields.call_sid?.value,
      language: fields.language?.value,
      dialect: dialects.get(fields.language?.value ?? '')?.value,
      endedAt: fields.ended_at && new Date(fields.ended_at.value),
      durationSeconds: fields.duration_seconds?.value,
      endReason: fields.end_reason?.value,
      failureReason: fields.failure_reason?.value,
      title: fields.title?.value,
      summary: fields.summary?.value,
      callSuccessful: fields.call_successful?.value,
      costCredits: fields.cost_credits?.value,
      analysis: jsonOf(fields.analysis),
      metadata: objectOf(metadata),
    }),
    status: fields.status?.value ?? 'in_progress',
    updatedAt: new Date(latest),
  };
  const startedAt = new Date(fields.started_at?.value ?? earliest);
  return { create: { id, ...update, startedAt, createdAt: new Date(earliest) }, update };
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
  const { fields } = call;
  const update = {
    ...told({
      toolName: fields.tool_name?.value,
      toolType: fields.tool_type?.value,
      parameters: jsonOf(fields.parameters),
      result: jsonOf(fields.result),
      isError: fields.is_error?.value,
      latencySeconds: fields.latency_seconds?.value,
      details: jsonOf(fields.details),
    }),
    clock: call.clock,
  };
  const { conversation_id: conversationId, source, request_id: requestId } = call;
  return { create: { conversationId, source, requestId, ...update, createdAt: new Date(call.earliest) }, update };
}

export function commandRow(
  command: CommandChange,
): Upsert<Prisma.UserCommandCreateInput, Prisma.UserCommandUpdateInput> {
  const { fields, conversation_id: conversationId, action_id: actionId } = command;
  const update = told({
    userId: fields.user_id?.value,
    command: fields.command?.value,
    parameters: jsonOf(fields.parameters),
    status: fields.status?.value,
    details: jsonOf(fields.details),
  });
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
  const update = {
    ...told({
      language: fields.language?.value,
      dialect: dialects.get(fields.language?.value ?? '')?.value,
      personality: jsonOf(fields.personality),
      phoneNumber: fields.phone_number?.value,
      attributes: objectOf(attributes),
    }),
    lastSeenAt: new Date(latest),
  };
  return { create: { userId, ...update, firstSeenAt: new Date(earliest) }, update };
}

/** Without what the event does not tell: that stays as it is. */
function told<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present: Partial<T> = {};
  for (const name in fields) if (fields[name] !== undefined) present[name] = fields[name];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop does what the type says
  return present as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** JSON's null is SQL's. */
function jsonOf(register: Register | undefined): Prisma.InputJsonValue | typeof Prisma.DbNull | undefined {
  return register && (register.value ?? Prisma.DbNull);
}

function objectOf(registers: ReadonlyMap<string, Register>): Record<string, Json> | undefined {
  if (registers.size === 0) return undefined;
  return Object.fromEntries([...registers].map(([key, { value }]) => [key, value]));
}
