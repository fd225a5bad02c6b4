import type { Store } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';

/** When the calls of these tests began, in unix ms. */
export const AT = Date.UTC(2026, 0, 5, 9);

/** Applies events of these bodies, received a second apart. @returns Their ids. */
export async function apply(store: Store, bodies: readonly object[], receivedAt = AT): Promise<string[]> {
  const events = bodies.map((body, i) => {
    const facts = { receivedAt: receivedAt + i * 1000, signedAt: AT / 1000, secretId: 'test' };
    const event = normalise(deliveryOf(Buffer.from(JSON.stringify(body)), facts));
    if (event.outcome === 'dead') throw new Error(`dead: ${JSON.stringify(event.fault)}`);
    return event;
  });
  await store.apply(events);
  return events.map(({ entry }) => entry.id);
}

/** The body of a transcript of two turns, with a tool call between them. */
export function transcript(conversationId: string, { user = 'user-1', says = 'مرحبا', at = AT } = {}) {
  return {
    type: 'post_call_transcription',
    event_timestamp: at / 1000 + 60,
    data: {
      agent_id: 'agent-1',
      conversation_id: conversationId,
      user_id: user,
      status: 'done',
      transcript: [
        { role: 'user', message: says, time_in_call_secs: 1, interrupted: true },
        {
          role: 'agent',
          message: null,
          time_in_call_secs: 3,
          tool_calls: [{ request_id: 'r1', tool_name: 'find_order', params_as_json: '{"order":7}' }],
          tool_results: [
            { request_id: 'r1', tool_name: 'find_order', result_value: '{"state":"sent"}', is_error: false },
          ],
        },
        { role: 'agent', message: '<script>alert(1)</script>', time_in_call_secs: 5 },
      ],
      metadata: { start_time_unix_secs: at / 1000, call_duration_secs: 60, main_language: 'ar' },
      analysis: { call_successful: 'success', transcript_summary: 'The order was sent.' },
    },
  };
}
