import type { CauseItem } from '../../src/api/contract/rejected.ts';
import { countText } from '../parts/relative-time.ts';
import { Time } from '../parts/time.tsx';
import { causeWords } from './causes.ts';

interface CauseGroupsProps {
  causes: readonly CauseItem[];
  chosen: string | undefined;
  onChoose: (cause: string | undefined) => void;
  onReadmit: (cause: string) => void;
}

/** Why requests were refused, how many, and what to do. Of a cause that is chosen the advice stands whole. */
export function CauseGroups({ causes, chosen, onChoose, onReadmit }: CauseGroupsProps) {
  const shown = chosen === undefined ? causes : causes.filter(({ cause }) => cause === chosen);
  if (shown.length === 0) return null;
  return (
    <section class="causes" aria-label="Causes" tabIndex={0}>
      <ul class="cause-list">
        {shown.map((item) => (
          <Cause
            key={item.cause}
            item={item}
            isChosen={item.cause === chosen}
            onChoose={() => onChoose(item.cause === chosen ? undefined : item.cause)}
            onReadmit={() => onReadmit(item.cause)}
          />
        ))}
      </ul>
    </section>
  );
}

interface CauseProps {
  item: CauseItem;
  isChosen: boolean;
  onChoose: () => void;
  onReadmit: () => void;
}

/** One cause. */
function Cause({ item, isChosen, onChoose, onReadmit }: CauseProps) {
  const { title, says, advice, canReadmit } = causeWords(item.cause);
  const left = item.count - item.readmitted;
  return (
    <li class={`cause${isChosen ? ' cause-chosen' : ''}`}>
      <div class="cause-words">
        <p class="cause-head">
          <button type="button" class="cause-title" aria-pressed={isChosen} onClick={onChoose}>
            {title}
          </button>{' '}
          <span class="quiet">{says}</span>
        </p>
        <p class="cause-advice">{advice}</p>
      </div>
      <p class="cause-counts number">
        <strong>{countText(item.count)}</strong> {item.count === 1 ? 'request' : 'requests'}
        <span class="quiet">
          {item.readmitted > 0 ? `${countText(item.readmitted)} readmitted` : 'last '}
          {item.readmitted === 0 && <Time at={item.last_at} />}
        </span>
      </p>
      <div class="cause-do">
        {canReadmit && left > 0 && (
          <button type="button" class="button button-small" aria-label={`Readmit ${title}`} onClick={onReadmit}>
            Readmit…
          </button>
        )}
      </div>
    </li>
  );
}
