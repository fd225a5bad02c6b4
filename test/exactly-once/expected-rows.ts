import { z } from 'zod';

/** What the tables must hold once a set of events is applied: the keys of all their rows, and how many events end as what. */
export interface ExpectedRows {
  keys: Record<keyof typeof KEY_OF, string[]>;
  outcomes: Record<string, number>;
}

/** The SQL that prints a row's key as it stands in `ExpectedRows`. */
export const KEY_OF = {
  conversations: 'id',
  conversation_messages: `concat_ws(' ', conversation_id, source, event_key)`,
  agent_tool_calls: `concat_ws(' ', conversation_id, source, request_id)`,
  user_commands: `concat_ws(' ', conversation_id, action_id)`,
} as const;

const request = z.object({ request_id: z.string() });
const event = z.object({
  type: z.string(),
  data: z.object({
    conversation_id: z.string().optional(),
    message_id: z.string().optional(),
    role: z.string().optional(),
    tool_call_id: z.string().optional(),
    action_id: z.string().optional(),
    transcript: z.array(z.object({ tool_calls: z.array(request) })).optional(),
  }),
});

/**
 * Counts by hand what the worker has to come to, in the plainest way: each thing once, and of a call with a transcript the
 * transcript's turns and tool calls in place of what was told live.
 */
export function expectedRows(bodies: readonly Buffer[]): ExpectedRows {
  const calls = new Map<string, { live: Keys; transcript?: Keys; commands: Set<string> }>();
  const outcomes = { applied: 0, ignored: 0 };
  for (const body of bodies) {
    const { data } = event.parse(JSON.parse(body.toString()));
    const id = data.conversation_id;
    outcomes[id === undefined ? 'ignored' : 'applied']++;
    if (id === undefined) continue;
    const call = calls.get(id) ?? { live: noKeys(), commands: new Set() };
    calls.set(id, call);
    if (data.message_id !== undefined) call.live.messages.add(`${id} live ${data.role}:${data.message_id}`);
    if (data.tool_call_id !== undefined) call.live.toolCalls.add(`${id} live ${data.tool_call_id}`);
    if (data.action_id !== undefined) call.commands.add(`${id} ${data.action_id}`);
    for (const [position, turn] of data.transcript?.entries() ?? []) {
      call.transcript ??= noKeys();
      call.transcript.messages.add(`${id} transcript ${position}`);
      for (const { request_id } of turn.tool_calls) call.transcript.toolCalls.add(`${id} transcript ${request_id}`);
    }
  }
  const told = [...calls.values()].map(({ live, transcript }) => transcript ?? live);
  return {
    outcomes,
    keys: {
      conversations: [...calls.keys()].sort(),
      conversation_messages: told.flatMap(({ messages }) => [...messages]).sort(),
      agent_tool_calls: told.flatMap(({ toolCalls }) => [...toolCalls]).sort(),
      user_commands: [...calls.values()].flatMap(({ commands }) => [...commands]).sort(),
    },
  };
}

interface Keys {
  messages: Set<string>;
  toolCalls: Set<string>;
}

function noKeys(): Keys {
  return { messages: new Set(), toolCalls: new Set() };
}
