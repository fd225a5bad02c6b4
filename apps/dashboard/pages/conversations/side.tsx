import type { ComponentChildren } from 'preact';
import type { ConversationDetail } from '../../src/api/contract/conversations.ts';
import { JsonTree } from '../parts/json-tree.tsx';
import { Tag } from '../parts/tag.tsx';
import { readEvaluation, type Collected, type Criterion } from './evaluation.ts';
import { outcomeTone, plainWord } from './conversation-words.ts';
import { Fold } from './fold.tsx';
import { ItsEvents } from './its-events.tsx';
import { Person } from './person.tsx';

/** What is beside the chat: what came of the call, who called, and what it was made from. */
export function Side({ call }: { call: ConversationDetail }) {
  const evaluation = readEvaluation(call.analysis);
  return (
    <aside class="call-side" aria-label="About the conversation">
      {call.summary !== null && (
        <SideFold title="Summary" isOpen>
          {() => (
            <p class="about-summary" dir="auto">
              {call.summary}
            </p>
          )}
        </SideFold>
      )}
      {evaluation.criteria.length > 0 && (
        <SideFold title="Evaluation" count={evaluation.criteria.length} isOpen>
          {() => <Criteria criteria={evaluation.criteria} />}
        </SideFold>
      )}
      {evaluation.collected.length > 0 && (
        <SideFold title="Data collected" count={evaluation.collected.length} isOpen>
          {() => <CollectedData collected={evaluation.collected} />}
        </SideFold>
      )}
      <SideFold title="Caller" isOpen>
        {() => <Person call={call} />}
      </SideFold>
      <SideFold title="Events it was made from" isOpen>
        {() => <ItsEvents id={call.id} />}
      </SideFold>
      {hasFields(call.analysis) && (
        <SideFold title="Analysis as it came">{() => <JsonTree value={call.analysis} label="Analysis" />}</SideFold>
      )}
      {hasFields(call.metadata) && (
        <SideFold title="Metadata">{() => <JsonTree value={call.metadata} label="Metadata" />}</SideFold>
      )}
    </aside>
  );
}

interface SideFoldProps {
  title: string;
  count?: number;
  isOpen?: boolean;
  children: () => ComponentChildren;
}

function SideFold({ title, count, isOpen = false, children }: SideFoldProps) {
  const summary = (
    <>
      <h2>{title}</h2>
      {count !== undefined && <span class="about-count">{count}</span>}
    </>
  );
  return (
    <Fold class="about-fold" summary={summary} isOpen={isOpen}>
      {() => <div class="about-body">{children()}</div>}
    </Fold>
  );
}

function Criteria({ criteria }: { criteria: readonly Criterion[] }) {
  return (
    <ul class="criteria">
      {criteria.map(({ name, result, rationale }) => (
        <li key={name}>
          <p class="criterion-head">
            <bdi class="criterion-name">{plainWord(name)}</bdi>
            <Tag tone={outcomeTone(result)}>{result === null ? 'no result' : plainWord(result)}</Tag>
          </p>
          {rationale !== null && (
            <p class="criterion-why" dir="auto">
              {rationale}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function CollectedData({ collected }: { collected: readonly Collected[] }) {
  return (
    <dl class="collected">
      {collected.map(({ name, value, rationale }) => (
        <div key={name}>
          <dt>
            <bdi>{plainWord(name)}</bdi>
          </dt>
          <dd>
            <CollectedValue value={value} />
            {rationale !== null && (
              <p class="criterion-why" dir="auto">
                {rationale}
              </p>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function CollectedValue({ value }: { value: unknown }) {
  if (value === null) return <span class="nothing">–</span>;
  if (typeof value === 'object') return <JsonTree value={value} label="Value" depth={1} />;
  return <bdi class="collected-value">{typeof value === 'string' ? value : JSON.stringify(value)}</bdi>;
}

function hasFields(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
