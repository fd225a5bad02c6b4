import type { ComponentChildren } from 'preact';
import { useContext } from 'preact/hooks';
import type { MessageItem } from '../../src/api/contract/conversations.ts';

import { piecesOf } from './found-text.ts';
import { WantedText } from './wanted-text.ts';

const WHO: Record<string, string> = { agent: 'Agent', user: 'Caller', system: 'System' };

/** One turn: who, what, when, and whether the other side broke in. */
export function Turn({ turn, time }: { turn: MessageItem; time: ComponentChildren }) {
  const { role, content, language, interrupted } = turn;
  const meant = meantText(turn);
  return (
    <div class="turn">
      <p class="turn-who">{(role !== null && WHO[role]) || role || 'Somebody'}</p>
      <div class="turn-row">
        <Words content={content} language={language} />
        {time}
      </div>
      {interrupted === true && (
        <p class="turn-cut">{meant === undefined ? 'Interrupted' : 'Interrupted, and wanted to say:'}</p>
      )}
      {interrupted === true && meant !== undefined && (
        <p class="turn-meant" dir="auto">
          {meant}
        </p>
      )}
    </div>
  );
}

function Words({ content, language }: Pick<MessageItem, 'content' | 'language'>) {
  const wanted = useContext(WantedText);
  if (content === null || content.trim() === '') return <p class="turn-text turn-silent">No words</p>;
  return (
    <p class="turn-text" dir="auto" lang={language ?? undefined}>
      {wanted === ''
        ? content
        : piecesOf(content, wanted).map(({ text, isFound }, index) =>
            isFound ? <mark key={index}>{text}</mark> : text,
          )}
    </p>
  );
}

/** What the agent was about to say, where the provider tells it and it is more than what was heard. */
function meantText({ details, content }: MessageItem): string | undefined {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return undefined;
  const meant = details['original_message'];
  return typeof meant === 'string' && meant.trim() !== '' && meant !== content ? meant : undefined;
}
