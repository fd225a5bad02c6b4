import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { CommandItem } from '../../src/api/contract/conversations.ts';
import { JsonTree } from '../parts/json-tree.tsx';
import { Tag } from '../parts/tag.tsx';
import type { ChatRow } from './chat-rows.ts';
import { clockText } from './clock-text.ts';
import { plainWord } from './conversation-words.ts';
import { Fold } from './fold.tsx';
import { lineId } from './line-id.ts';
import { ToolCall } from './tool-call.tsx';
import { Turn } from './turn.tsx';

/** From this many lines on, laying all of them out takes a time that one notices. */
const LONG = 250;

interface ChatProps {
  rows: readonly ChatRow[];
  /** Key of the turn that is heard. */
  current: string | null;
  /** Plays from there; undefined where there is nothing to play. */
  onSeek: ((seconds: number) => void) | undefined;
}

/** The conversation as a chat. Lines out of sight cost nothing: the browser leaves out their layout. */
export function Chat({ rows, current, onSeek }: ChatProps) {
  return (
    <ol class={rows.length > LONG ? 'chat chat-long' : 'chat'} aria-label="What was said">
      {rows.map((row, index) => (
        <ChatLine key={row.key} row={row} before={rows[index - 1]} isCurrent={row.key === current} onSeek={onSeek} />
      ))}
    </ol>
  );
}

interface ChatLineProps {
  row: ChatRow;
  before: ChatRow | undefined;
  isCurrent: boolean;
  onSeek: ChatProps['onSeek'];
}

function ChatLine({ row, before, isCurrent, onSeek }: ChatLineProps) {
  const isSame = before?.kind === 'turn' && row.kind === 'turn' && before.turn.role === row.turn.role;
  // A thousand lines are compared whenever the current turn changes: what is the same is not drawn anew.
  return useMemo(() => {
    const time = <LineTime row={row} onSeek={onSeek} />;
    return (
      <li
        id={lineId(row.key)}
        class={lineClass(row)}
        data-same={isSame || undefined}
        aria-current={isCurrent || undefined}
      >
        {row.kind === 'turn' && <Turn turn={row.turn} time={time} />}
        {row.kind === 'call' && <ToolCall call={row.call} time={time} />}
        {row.kind === 'command' && <Command command={row.command} time={time} />}
      </li>
    );
  }, [row, isSame, isCurrent, onSeek]);
}

function lineClass(row: ChatRow): string {
  if (row.kind !== 'turn') return 'line line-tool';
  return `line line-${row.turn.role ?? 'unknown'}`;
}

function LineTime({ row: { seconds, kind }, onSeek }: { row: ChatRow; onSeek: ChatProps['onSeek'] }) {
  if (seconds === null) return null;
  const text = clockText(seconds);
  if (!onSeek) return <span class="line-time">{text}</span>;
  return (
    <button
      type="button"
      class="line-time"
      aria-label={`Play from ${text}`}
      title="Play from here"
      onClick={() => onSeek(seconds)}
    >
      {text}
      {kind === 'turn' && <span aria-hidden="true"> ▸</span>}
    </button>
  );
}

function Command({ command, time }: { command: CommandItem; time: ComponentChildren }) {
  return (
    <div class="tool">
      {time}
      <Fold
        class="tool-fold"
        summary={
          <>
            <span class="tool-kind">Command</span>
            <code class="tool-name">{command.command ?? 'unnamed'}</code>
            {command.status && <Tag tone="quiet">{plainWord(command.status)}</Tag>}
          </>
        }
      >
        {() => <JsonTree value={command.parameters} label="Parameters of the command" />}
      </Fold>
    </div>
  );
}
