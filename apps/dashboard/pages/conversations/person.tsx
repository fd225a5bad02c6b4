import { useState } from 'preact/hooks';
import type { ConversationDetail, ConversationItem, ProfileItem } from '../../src/api/contract/conversations.ts';
import { JsonTree } from '../parts/json-tree.tsx';
import { PlanDialog } from '../parts/plan-dialog.tsx';
import { Tag } from '../parts/tag.tsx';
import { Duration, Time } from '../parts/time.tsx';
import { languageText, outcomeTone, plainWord, titleOf } from './conversation-words.ts';

/** Who called: the profile, the other calls, and the erasure of all of it. */
export function Person({ call }: { call: ConversationDetail }) {
  return (
    <>
      {call.profile === null ? (
        <p class="about-hint">There is no profile: nobody said who it was.</p>
      ) : (
        <Profile profile={call.profile} />
      )}
      <OtherCalls calls={call.other_conversations} />
      <ErasePerson call={call} />
    </>
  );
}

function Profile({ profile }: { profile: ProfileItem }) {
  const language = languageText(profile.language, profile.dialect);
  const others: Record<string, unknown> = {};
  if (isSomething(profile.personality)) others['personality'] = profile.personality;
  if (isSomething(profile.attributes)) others['attributes'] = profile.attributes;
  return (
    <>
      <dl class="profile">
        <div>
          <dt>User</dt>
          <dd>
            <bdi>{profile.user_id}</bdi>
          </dd>
        </div>
        {profile.phone_number !== null && (
          <div>
            <dt>Number</dt>
            <dd>
              <bdi>{profile.phone_number}</bdi>
            </dd>
          </div>
        )}
        {language !== null && (
          <div>
            <dt>Language</dt>
            <dd>{language}</dd>
          </div>
        )}
        <div>
          <dt>First seen</dt>
          <dd>
            <Time at={profile.first_seen_at} />
          </dd>
        </div>
        <div>
          <dt>Last seen</dt>
          <dd>
            <Time at={profile.last_seen_at} />
          </dd>
        </div>
      </dl>
      {Object.keys(others).length > 0 && <JsonTree value={others} label="Profile" depth={2} />}
    </>
  );
}

function isSomething(value: unknown): boolean {
  if (value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value ?? {}).length > 0;
}

function OtherCalls({ calls }: { calls: readonly ConversationItem[] }) {
  if (calls.length === 0) return <p class="about-hint">No other calls of this caller.</p>;
  return (
    <>
      <h3>Other calls</h3>
      <ul class="other-calls" aria-label="Other calls">
        {calls.map((other) => (
          <li key={other.id}>
            <a href={`/conversations/${encodeURIComponent(other.id)}`} dir="auto">
              {titleOf(other)}
            </a>
            <span class="other-call-facts">
              <Time at={other.started_at} />
              <Duration seconds={other.duration_seconds} />
              {other.call_successful === 'failure' && (
                <Tag tone={outcomeTone(other.call_successful)}>{plainWord(other.call_successful)}</Tag>
              )}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function ErasePerson({ call }: { call: ConversationDetail }) {
  const [isAsked, setAsked] = useState(false);
  const by = call.user_id !== null ? 'user' : 'number';
  const value = call.user_id ?? call.external_number;
  if (value === null) return null;
  return (
    <>
      <button type="button" class="button button-small" onClick={() => setAsked(true)}>
        Erase this caller…
      </button>
      {isAsked && (
        <PlanDialog
          title="Erase everything of this caller"
          call={{ kind: 'erase', by, value }}
          verb="Erase"
          onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}
