import { ProviderError } from './errors.ts';
import { fetchAnswer } from './fetch-answer.ts';
import type { FetchedConversation, ListedConversation, ListWindow } from './provider.ts';
import { CALL_STATUSES } from './read/call-status.ts';
import { readConversation } from './read/conversation.ts';
import { listedConversations } from './read/listed-conversations.ts';
import { PAGE_SIZE, pagesOf } from './read/pages.ts';
import { parseAnswer } from './read/read-answer.ts';
import type { Ask, Client, ReadPieces } from './request/client.ts';
import { isText, isTextType } from './read/is-text.ts';
import { inPath } from './request/in-path.ts';
import { pause } from './request/pause.ts';

/** Of a call's account, in bytes. A call of ten hours has some 10 MB, and an event of a larger one would not be taken: it may have 16 MiB. */
const CONVERSATION_LIMIT_BYTES = 17 * 1024 * 1024;

/** Of a call's audio, in bytes: what the largest event holds that BODY_LIMIT_BYTES allows, as base64. An hour has some 60 MB. */
const AUDIO_LIMIT_BYTES = 3 * 1024 * 1024 * 1024;

/** So many ids of a list are remembered, the last ones: a call that moves while the list is read crosses the border of a page. */
const REMEMBERED_IDS = 10 * PAGE_SIZE;

const PERMISSION = 'convai_read';
const PATH = '/v1/convai/conversations';

/** Lists the calls of a window, page after page. It remembers a thousand ids, however long the list is. */
export async function* listConversations(
  client: Client,
  { from, to, statuses = CALL_STATUSES, onUnreadable }: ListWindow,
  signal: AbortSignal,
): AsyncGenerator<ListedConversation[], void, undefined> {
  const what = 'the list of conversations';
  const query = new URLSearchParams({
    page_size: `${PAGE_SIZE}`,
    sort_direction: 'asc',
    call_start_after_unix: `${Math.max(0, Math.floor(from / 1000))}`,
    call_start_before_unix: `${Math.ceil(to / 1000)}`,
  });
  for (const status of CALL_STATUSES) if (!statuses.includes(status)) query.append('exclude_statuses', status);
  const pages = pagesOf(what, async (cursor) => {
    if (cursor !== undefined) query.set('cursor', cursor);
    const ask = { path: `${PATH}?${query.toString()}`, what, permission: PERMISSION, signal };
    const page = await fetchAnswer(client, ask, listedConversations);
    return { items: page.conversations, hasMore: page.has_more ?? undefined, cursor: page.next_cursor };
  });
  // While the list is read calls begin and end, so that a call can move to a later page.
  const seen = new Set<string>();
  let lastStart = from;
  for await (const page of pages) {
    const fresh: ListedConversation[] = [];
    for (const item of page) {
      if (item === null) continue;
      const call = { ...item, startedAt: item.startedAt ?? lastStart, isStartKnown: item.startedAt !== null };
      lastStart = call.startedAt;
      if (!statuses.includes(call.status) || seen.has(call.id)) continue;
      seen.add(call.id);
      fresh.push(call);
    }
    const unreadable = page.filter((item) => item === null).length;
    if (unreadable > 0) onUnreadable?.(unreadable);
    for (const id of [...seen].slice(0, -REMEMBERED_IDS)) seen.delete(id);
    if (fresh.length > 0) yield fresh;
  }
}

/**
 * Fetches a call's account.
 *
 * @param againMs  A call that is not found is asked for once more after so long: soon after a call the provider may not know it yet.
 */
export async function fetchConversation(
  client: Client,
  { id, againMs }: { id: string; againMs: number },
  signal: AbortSignal,
): Promise<FetchedConversation> {
  const ask = askOf(id, `conversation ${inPath(id)}`, signal);
  const fetch = () =>
    client.read(ask, CONVERSATION_LIMIT_BYTES, (bytes) => readConversation(id, bytes, parseAnswer(bytes, ask.what)));
  return onceMore(fetch, againMs, signal);
}

/**
 * Fetches a call's audio, and has it read piece after piece: again from its beginning where it is cut.
 *
 * @param againMs  Audio that is not found is asked for once more after so long.
 */
export async function fetchAudio<T>(
  client: Client,
  { id, againMs, read }: { id: string; againMs: number; read: ReadPieces<T> },
  signal: AbortSignal,
): Promise<T> {
  const ask = askOf(id, `the audio of conversation ${inPath(id)}`, signal);
  const check = ({ headers, status }: Response) => {
    const type = headers.get('content-type') ?? '';
    const refuseWhere = (isWrong: boolean, found: string) => {
      if (!isWrong) return;
      const message = `What answers for ElevenLabs' API gives ${found} for ${ask.what}. Check ELEVENLABS_API_URL and the proxy.`;
      throw new ProviderError('bad_answer', message, { status });
    };
    refuseWhere(status !== 200, 'a part, or nothing,');
    refuseWhere(isTextType(type), 'no audio');
    return (first: Buffer) => refuseWhere(isText(first, type), 'no audio');
  };
  const options = { limitBytes: AUDIO_LIMIT_BYTES, check };
  const fetch = () => client.stream({ ...ask, path: `${ask.path}/audio` }, options, read);
  return onceMore(fetch, againMs, signal);
}

/** Asks for something, and asks once more for what is not found. */
async function onceMore<T>(fetch: () => Promise<T>, againMs: number, signal: AbortSignal): Promise<T> {
  try {
    return await fetch();
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== 'not_found') throw error;
    await pause(againMs, signal);
    return fetch();
  }
}

function askOf(id: string, what: string, signal: AbortSignal): Ask {
  return { path: `${PATH}/${inPath(id)}`, what, permission: PERMISSION, signal };
}
