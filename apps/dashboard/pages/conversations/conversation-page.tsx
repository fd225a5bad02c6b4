import { useLocation, useRoute } from 'preact-iso/router';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ConversationDetail } from '../../src/api/contract/conversations.ts';
import { useApi } from '../api/use-api.ts';
import { useKeys } from '../keys/use-keys.ts';
import { completenessWords, isNoteworthy } from '../parts/completeness-words.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Empty, Failed, Loading, Stale } from '../parts/states.tsx';
import { Tag } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';
import { useQuery } from '../route/use-query.ts';
import { CallActions } from './call-actions.tsx';
import { ChatColumn } from './chat-column.tsx';
import { chatRows, keepSame, type ChatParts, type ChatRow } from './chat-rows.ts';
import { isLive, titleOf } from './conversation-words.ts';
import { cuesOf } from './current-turn.ts';
import { Facts } from './facts.tsx';
import { listAddress } from './list-address.ts';
import { Side } from './side.tsx';
import { useIsWide } from './use-is-wide.ts';
import { useFollowing, useLiveEnd } from './use-following.ts';
import { usePartsForPlayer, usePartsForSearch } from './use-parts-for.ts';
import { usePlayer } from './use-player.ts';
import { useSaid } from './use-said.ts';

/** How often a call that changes is read again, in milliseconds. */
const LIVE_MS = 2_000;

/** How long a call is watched after somebody asked for a change, in milliseconds: a worker makes it. */
const WATCH_MS = 30_000;

/** One conversation: what was said, what came of it, and who it was. */
export function ConversationPage() {
  const id = useRoute().params['id'] ?? '';
  const [isGoingOn, setGoingOn] = useState(false);
  const watch = useWatch(id);
  const {
    data: call,
    error,
    reload,
  } = useApi<ConversationDetail>(`/conversations/${encodeURIComponent(id)}`, {
    everyMs: isGoingOn || watch.isOn ? LIVE_MS : 0,
  });
  if (call && isLive(call.status) !== isGoingOn) setGoingOn(isLive(call.status));
  if (!call) {
    return (
      <div class="page">
        <PageHead title="Conversation" />
        {error ? <Failed error={error} retry={reload} /> : <Loading what="the conversation" />}
      </div>
    );
  }
  return (
    <div class="page call-page">
      {error && <Stale error={error} retry={reload} />}
      <Conversation key={id} call={call} onAsked={watch.start} />
    </div>
  );
}

/** Watches a call for a while, so that what was asked for is seen when it is done. */
function useWatch(id: string): { isOn: boolean; start: () => void } {
  const [since, setSince] = useState<{ id: string; at: number }>();
  useEffect(() => {
    if (since === undefined) return undefined;
    const timer = setTimeout(setSince, WATCH_MS, undefined);
    return () => clearTimeout(timer);
  }, [since]);
  return { isOn: since?.id === id, start: () => setSince({ id, at: Date.now() }) };
}

function Conversation({ call, onAsked }: { call: ConversationDetail; onAsked: () => void }) {
  const { route } = useLocation();
  useKeys({ esc: { does: 'Back to the list', run: () => route(listAddress()) } });
  return (
    <article class="call" aria-label="Conversation">
      <PageHead title={titleOf(call)}>
        {call.erased_at === null && <CallActions call={call} onAsked={onAsked} />}
      </PageHead>
      <p class="call-id">
        <a href={listAddress()}>Conversations</a> <span aria-hidden="true">›</span> <code>{call.id}</code>
        <CopyButton small text={call.id} label="Copy the conversation’s id" />
      </p>
      {call.erased_at === null ? (
        <Said call={call} />
      ) : (
        <>
          <Facts call={call} />
          <Empty title="This conversation was erased">
            It happened <Time at={call.erased_at} />. What was said, the recording and the caller are gone for good.
          </Empty>
        </>
      )}
    </article>
  );
}

/** What was said, beside what came of it. A narrow screen shows one of the two. */
function Said({ call }: { call: ConversationDetail }) {
  const said = useSaid(call);
  const rows = useRows(said.parts);
  const cues = useMemo(() => cuesOf(rows), [rows]);
  const player = usePlayer(cues);
  useFollowing(player);
  useLiveEnd(rows.length, isLive(call.status) && said.isAtEnd);
  usePartsForPlayer(player, cues, said);
  const isWide = useIsWide();
  const [{ text = '' }] = useQuery();
  const wanted = text.trim();
  usePartsForSearch(rows, wanted, said);
  const [shown, setShown] = useState<'chat' | 'about'>('chat');
  return (
    <>
      {isWide ? <Facts call={call} /> : <Choice shown={shown} onChoose={setShown} />}
      {!isWide && shown === 'chat' && isNoteworthy(call.completeness) && (
        <p class="call-incomplete">
          <Tag tone={completenessWords(call.completeness).tone}>{call.completeness}</Tag>{' '}
          <button type="button" class="link-button" onClick={() => setShown('about')}>
            What is known of it
          </button>
        </p>
      )}
      <div class="call-columns">
        {/* Hidden and not left out: the recording plays on. */}
        <section class="call-chat" aria-label="Chat" hidden={!isWide && shown !== 'chat'}>
          <ChatColumn call={call} said={said} rows={rows} player={player} wanted={wanted} />
        </section>
        {(isWide || shown === 'about') && (
          <div class="call-about">
            {!isWide && <Facts call={call} />}
            <Side call={call} />
          </div>
        )}
      </div>
    </>
  );
}

/** The lines of the chat. A call that goes on is read again and again: lines that are the same stay the same objects. */
function useRows(parts: ChatParts): readonly ChatRow[] {
  const last = useRef<readonly ChatRow[]>([]);
  return useMemo(() => {
    last.current = keepSame(last.current, chatRows(parts));
    return last.current;
  }, [parts]);
}

function Choice({ shown, onChoose }: { shown: 'chat' | 'about'; onChoose: (shown: 'chat' | 'about') => void }) {
  return (
    <span class="choices call-choice" role="group" aria-label="Show">
      <button type="button" aria-pressed={shown === 'chat'} onClick={() => onChoose('chat')}>
        Chat
      </button>
      <button type="button" aria-pressed={shown === 'about'} onClick={() => onChoose('about')}>
        About the call
      </button>
    </span>
  );
}
