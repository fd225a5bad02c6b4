import { sees, type Access } from './access.ts';
import { invalid, notFound, ok, type Answer } from './answers.ts';
import { audioOf, listItemOf, type Account } from './conversation.ts';
import { pageOf } from './pages.ts';
import type { World } from './world.ts';

const STATUSES: readonly string[] = [
  'initiated',
  'in-progress',
  'processing',
  'done',
  'failed',
] satisfies Account['status'][];

/** Answers the list of conversations. Both limits are left out of it: nothing says that the provider includes them. */
export function listConversations(world: World, query: URLSearchParams, access: Access): Answer {
  const excluded = query.getAll('exclude_statuses');
  const direction = query.get('sort_direction') ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') {
    return invalid(['query', 'sort_direction'], "Input should be 'asc' or 'desc'", 'enum');
  }
  if (excluded.some((status) => !STATUSES.includes(status))) {
    return invalid(['query', 'exclude_statuses'], `Input should be one of ${STATUSES.join(', ')}`, 'enum');
  }
  const limits = ['call_start_after_unix', 'call_start_before_unix', 'page_size'] as const;
  const wrong = limits.find((name) => query.has(name) && !Number.isInteger(Number(query.get(name))));
  if (wrong !== undefined) return invalid(['query', wrong], 'Input should be a valid integer', 'int_parsing');
  const after = Number(query.get('call_start_after_unix') ?? -Infinity);
  const before = Number(query.get('call_start_before_unix') ?? Infinity);
  const items = [...world.conversations.values()].filter(
    (account) =>
      sees(access, account.agent_id) &&
      account.metadata.start_time_unix_secs > after &&
      account.metadata.start_time_unix_secs < before &&
      !excluded.includes(account.status) &&
      (query.get('agent_id') ?? account.agent_id) === account.agent_id &&
      (query.get('user_id') ?? account.user_id) === account.user_id,
  );
  return pageOf(query, { name: 'conversations', items, keyOf, direction, print: listItemOf });
}

const keyOf = ({ metadata, conversation_id }: Account): string =>
  `${String(metadata.start_time_unix_secs).padStart(12, '0')} ${conversation_id}`;

/** Answers what is asked of one conversation: its account, its audio, or that it be deleted. */
export function oneConversation(
  world: World,
  asked: { method: string; id: string; part?: string },
  access: Access,
): Answer {
  const account = world.conversations.get(asked.id);
  if (account === undefined || !sees(access, account.agent_id)) return notFound('conversation', asked.id);
  if (asked.part === 'audio') {
    if (!account.has_audio) return notFound('conversation_audio', asked.id);
    return { status: 200, headers: { 'content-type': 'audio/mpeg' }, body: null, bytes: audioOf(asked.id) };
  }
  if (asked.method === 'DELETE') {
    world.conversations.delete(asked.id);
    return ok({});
  }
  return ok(account);
}

/** Answers the users that called. A search finds one by the whole id. */
export function listUsers(world: World, query: URLSearchParams, access: Access): Answer {
  const calls = [...world.conversations.values()].filter(({ agent_id }) => sees(access, agent_id));
  const ids = new Set([...world.users, ...calls.flatMap(({ user_id }) => user_id ?? [])]);
  const searched = query.get('search');
  const items = [...ids].filter((id) => searched === null || id === searched);
  const print = (id: string) =>
    userOf(
      id,
      calls.filter(({ user_id }) => user_id === id),
    );
  return pageOf(query, { name: 'users', items, keyOf: (id) => id, direction: 'desc', print });
}

function userOf(id: string, calls: readonly Account[]) {
  const times = calls.map(({ metadata }) => metadata.start_time_unix_secs);
  const none = { positive_count: 0, neutral_count: 0, negative_count: 0 };
  return {
    user_id: id,
    last_contact_unix_secs: Math.max(0, ...times),
    first_contact_unix_secs: times.length === 0 ? 0 : Math.min(...times),
    conversation_count: calls.length,
    last_contact_agent_id: calls.at(-1)?.agent_id ?? null,
    last_contact_conversation_id: calls.at(-1)?.conversation_id ?? '',
    last_contact_agent_name: calls.at(-1)?.agent_name ?? null,
    sentiment: {
      scored_conversation_count: 0,
      ...none,
      average_sentiment_score: null,
      average_frustration_score: null,
      recent_scored_conversation_count: 0,
      recent_positive_count: 0,
      recent_neutral_count: 0,
      recent_negative_count: 0,
      recent_average_sentiment_score: null,
      recent_average_frustration_score: null,
    },
  };
}
