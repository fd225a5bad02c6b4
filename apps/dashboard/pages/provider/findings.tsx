import type { FindingItem, ProviderCheckItem } from '../../src/api/contract/provider.ts';
import { Tag, type Tone } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';

const LEVELS: Record<FindingItem['level'], { tone: Tone; text: string }> = {
  fault: { tone: 'bad', text: 'fault' },
  unseen: { tone: 'warn', text: 'not seen' },
  note: { tone: 'quiet', text: 'note' },
  fine: { tone: 'good', text: 'fine' },
};

/** What the page says elsewhere: the agents have a section of their own. */
const SAID_ELSEWHERE = 'agents';

/** What was found, faults first, each with what to click. What is fine is folded. */
export function Findings({ check: { findings, checked_at: at } }: { check: ProviderCheckItem }) {
  const fine = findings.filter(({ level }) => level === 'fine');
  const others = findings.filter(({ code, level }) => level !== 'fine' && code !== SAID_ELSEWHERE);
  const hasFault = others.some(({ level }) => level === 'fault');
  return (
    <section class="provider-findings" aria-labelledby="findings">
      <h2 id="findings">Findings</h2>
      {!hasFault && (
        <p class="quiet">
          The look <Time at={at} /> found no fault at ElevenLabs’ side.
        </p>
      )}
      {others.length > 0 && <FindingList findings={others} label="Findings" />}
      {fine.length > 0 && (
        <details>
          <summary>
            {fine.length === 1 ? 'One thing is as it should be' : `${fine.length} things are as they should be`}
          </summary>
          <FindingList findings={fine} label="What is fine" />
        </details>
      )}
    </section>
  );
}

function FindingList({ findings, label }: { findings: readonly FindingItem[]; label: string }) {
  return (
    <ul class="findings" aria-label={label}>
      {findings.map(({ code, level, what, todo }) => (
        <li key={`${code} ${what}`} class={`finding finding-${level}`}>
          <Tag tone={LEVELS[level].tone}>{LEVELS[level].text}</Tag>
          <div>
            <p dir="auto">{what}</p>
            {todo !== null && (
              <p class="finding-todo" dir="auto">
                {todo}
              </p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
