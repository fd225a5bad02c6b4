import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { closeServer } from '../support/close-server.ts';
import { audioOf, listItemOf, makeConversation } from '../support/provider/conversation.ts';

/** A provider whose list is longer than any memory: each page is made when it is asked for. */
export interface LongList {
  url: string;
  apiKey: string;
  /** How many calls there are, all done: the n-th is `callId(n)`. Infinity: the list has no end. */
  calls: number;
  /** Calls of a page, where fewer are to come than are asked for. */
  pageSize: number;
  /** The page, counted from 0, that leads back to itself. */
  repeating: number | undefined;
  /** Whose audio has no end. Of all other calls there is none. */
  endless: ReadonlySet<string>;
  /** How many pages were asked for. */
  pages: number;
  /** What was asked of its calls: paths behind that of the list. */
  asked: string[];
  close: () => Promise<void>;
}

const LIST = '/v1/convai/conversations';

/** The id of the n-th call, counted from 0. */
export const callId = (n: number): string => `call_${n}`;

/** Starts it on a free port of loopback. @param startedAt  When its calls began, in unix seconds: all at once. */
export async function startLongList(startedAt: number): Promise<LongList> {
  const item = listItemOf(makeConversation({ id: '', startedAt }));

  function pageAt(cursor: string | null, size: number): object {
    const page = Number(cursor ?? 0);
    const { calls, pageSize, repeating } = list;
    const most = Math.min(size, pageSize);
    const first = page * most;
    const count = Math.min(most, calls - first);
    const conversations = Array.from({ length: count }, (_, n) => ({ ...item, conversation_id: callId(first + n) }));
    const next = repeating === page ? page : page + 1;
    const hasMore = first + most < calls;
    return { conversations, has_more: hasMore, next_cursor: hasMore ? String(next) : null };
  }

  const isInWindow = (query: URLSearchParams) =>
    startedAt > Number(query.get('call_start_after_unix')) && startedAt < Number(query.get('call_start_before_unix'));

  function answer(url: URL, response: ServerResponse): void {
    if (url.pathname === LIST) {
      if (!isInWindow(url.searchParams)) return sendJson(response, { conversations: [], has_more: false });
      list.pages++;
      return sendJson(response, pageAt(url.searchParams.get('cursor'), Number(url.searchParams.get('page_size'))));
    }
    if (!url.pathname.startsWith(`${LIST}/`)) return void response.writeHead(404).end();
    const path = url.pathname.slice(LIST.length);
    list.asked.push(path);
    const [, id = '', part] = path.split('/');
    if (part === 'audio') return void sendEndless(response, id);
    sendJson(response, makeConversation({ id, startedAt, hasAudio: list.endless.has(id) }));
  }

  const server = createServer((request, response) => answer(new URL(request.url ?? '/', 'http://provider'), response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The list has no port.');
  const list: LongList = {
    url: `http://127.0.0.1:${address.port}`,
    apiKey: 'sk_of_the_tests',
    calls: 0,
    pageSize: 100,
    repeating: undefined,
    endless: new Set(),
    pages: 0,
    asked: [],
    close: () => closeServer(server, () => server.closeAllConnections()),
  };
  return list;
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Sends sound for as long as somebody reads it, and does not say how much. */
async function sendEndless(response: ServerResponse, id: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'audio/mpeg' });
  const sound = Buffer.concat(Array.from({ length: 20 }, () => audioOf(id)));
  const gone = once(response, 'close');
  while (!response.destroyed) {
    // oxlint-disable-next-line no-await-in-loop -- as fast as it is read
    if (!response.write(sound)) await Promise.race([once(response, 'drain'), gone]);
  }
}
