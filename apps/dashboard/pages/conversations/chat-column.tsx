import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ConversationDetail } from '../../src/api/contract/conversations.ts';
import { useKeys } from '../keys/use-keys.ts';
import { Empty } from '../parts/states.tsx';
import { Count } from '../parts/time.tsx';
import type { ChatRow } from './chat-rows.ts';
import { Chat } from './chat.tsx';
import { isLive } from './conversation-words.ts';
import { turnsWith } from './found-text.ts';
import { MoreTurns } from './more-turns.tsx';
import { RecordingPlayer } from './recording-player.tsx';
import { scrollToLine } from './use-following.ts';
import type { Player } from './use-player.ts';
import type { SaidSoFar } from './use-said.ts';
import { WantedText } from './wanted-text.ts';

interface ChatColumnProps {
  call: ConversationDetail;
  said: SaidSoFar;
  rows: readonly ChatRow[];
  player: Player;
  /** What the search looked for; '' where one came without a search. */
  wanted: string;
}

/** The recording, and below it the chat that follows it. */
export function ChatColumn({ call, said, rows, player, wanted }: ChatColumnProps) {
  const onSeek = call.recordings.some(({ href }) => href !== null) ? player.seek : undefined;
  // Reading a call again that has not changed draws no line.
  const chat = useMemo(
    () => <Chat rows={rows} current={player.current} onSeek={onSeek} />,
    [rows, player.current, onSeek],
  );
  return (
    <>
      <div class="call-top">
        <RecordingPlayer recordings={call.recordings} player={player} />
        {wanted !== '' && <Found rows={rows} wanted={wanted} onMove={player.pause} />}
      </div>
      {call.transcript[0]?.source === 'live' && (
        <p class="call-cut">As live events told it. The transcript takes its place after the call.</p>
      )}
      {rows.length === 0 ? (
        <Empty title={isLive(call.status) ? 'Nothing was said yet' : 'There is no transcript'}>
          {isLive(call.status) ? 'The call goes on; what is said appears here.' : 'No event told what was said.'}
        </Empty>
      ) : (
        <WantedText.Provider value={wanted}>{chat}</WantedText.Provider>
      )}
      <MoreTurns said={said} />
    </>
  );
}

/** Tells how many turns have what the search looked for, shows the first, and goes to the next. */
function Found({ rows, wanted, onMove }: { rows: readonly ChatRow[]; wanted: string; onMove: () => void }) {
  const keys = useMemo(() => turnsWith(rows, wanted), [rows, wanted]);
  const [at, setAt] = useState(0);
  useEffect(() => {
    const key = keys[at];
    if (key !== undefined) scrollToLine(key);
    // Turns that come while the call goes on move nobody.
  }, [wanted, at, keys.length === 0]);
  function next(): void {
    onMove();
    setAt(keys.length === 0 ? 0 : (at + 1) % keys.length);
  }
  useKeys(keys.length > 1 ? { n: { does: 'Next turn with what was searched', run: next } } : {});
  return (
    <div class="found" role="status">
      <p>
        <q dir="auto">{wanted}</q>{' '}
        {keys.length === 0 ? (
          'is in none of these turns.'
        ) : (
          <>
            {keys.length > 1 && `${at + 1} of `}
            <Count n={keys.length} /> {keys.length === 1 ? 'turn' : 'turns'}
          </>
        )}
      </p>
      {keys.length > 1 && (
        <button type="button" class="button button-small" onClick={next}>
          Next
        </button>
      )}
    </div>
  );
}
