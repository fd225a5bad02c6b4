import type { ComponentChildren } from 'preact';
import type { ConversationDetail } from '../../src/api/contract/conversations.ts';
import { completenessWords } from '../parts/completeness-words.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Tag } from '../parts/tag.tsx';
import { Count, Duration, Time } from '../parts/time.tsx';
import { isLive, languageText, outcomeTone, plainWord, statusTone } from './conversation-words.ts';

/** The facts of a conversation in one line that wraps. */
export function Facts({ call }: { call: ConversationDetail }) {
  const language = languageText(call.language, call.dialect);
  return (
    <dl class="call-facts">
      <Fact name="Status">
        <Tag tone={statusTone(call.status)}>{plainWord(call.status)}</Tag>
        {call.call_successful !== null && (
          <Tag tone={outcomeTone(call.call_successful)}>{plainWord(call.call_successful)}</Tag>
        )}
      </Fact>
      <Fact name="Started">
        <Time at={call.started_at} />
      </Fact>
      <Fact name="Duration">{isLive(call.status) ? 'going on' : <Duration seconds={call.duration_seconds} />}</Fact>
      {call.channel !== null && (
        <Fact name="Channel">{[plainWord(call.channel), call.direction].filter(Boolean).join(', ')}</Fact>
      )}
      {language !== null && <Fact name="Language">{language}</Fact>}
      <FilterFact name="Number" word="number" value={call.external_number} />
      <FilterFact name="User" word="user" value={call.user_id} />
      <FilterFact name="Agent" word="agent" value={call.agent_id} />
      {call.agent_number !== null && <Fact name="Agent’s number">{call.agent_number}</Fact>}
      {call.cost_credits !== null && (
        <Fact name="Cost">
          <Count n={call.cost_credits} /> credits
        </Fact>
      )}
      {call.end_reason !== null && <Fact name="Ended because">{<bdi>{call.end_reason}</bdi>}</Fact>}
      {call.failure_reason !== null && (
        <Fact name="Failed because">
          <bdi class="call-facts-bad">{call.failure_reason}</bdi>
        </Fact>
      )}
      <Orders call={call} />
      {call.completeness !== null && (
        <CompletenessFact completeness={call.completeness} reason={call.completeness_reason} />
      )}
    </dl>
  );
}

/** When the account has ordered that something be deleted. What is erased is gone already. */
function Orders({ call }: { call: ConversationDetail }) {
  if (call.erased_at !== null) return null;
  return (
    <>
      {call.delete_transcript_at !== null && (
        <Fact name="Transcript to be deleted">
          <Time at={call.delete_transcript_at} />
        </Fact>
      )}
      {call.delete_audio_at !== null && (
        <Fact name="Audio to be deleted">
          <Time at={call.delete_audio_at} />
        </Fact>
      )}
    </>
  );
}

/** What the last comparison with the provider has found, in a word and in words. */
function CompletenessFact({ completeness, reason }: { completeness: string; reason: string | null }) {
  const { tone, says } = completenessWords(completeness);
  return (
    <Fact name="Completeness">
      <Tag tone={tone}>{completeness}</Tag>{' '}
      <span class="quiet">
        {reason === null ? says : 'something of it never came: '}
        {reason !== null && <bdi>{reason}</bdi>}
      </span>
    </Fact>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A fact that leads to the other conversations that share it. */
function FilterFact({ name, word, value }: { name: string; word: string; value: string | null }) {
  if (value === null) return null;
  return (
    <Fact name={name}>
      <a
        class="fact-link"
        href={`/conversations?${new URLSearchParams({ [word]: value })}`}
        title={`Conversations of ${value}`}
      >
        <bdi>{value}</bdi>
      </a>
      <CopyButton small text={value} label={`Copy ${name.toLowerCase()}`} />
    </Fact>
  );
}
