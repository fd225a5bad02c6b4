import type { EventItem } from '../../src/api/contract/events.ts';
import { PlanDialog } from '../parts/plan-dialog.tsx';
import { countText } from '../parts/relative-time.ts';
import { coverOf } from './replay-call.ts';
import type { ReplayAsked, ReplayState } from './use-replay.ts';

/** Replays what is selected, or all that the filter finds. */
export function Replay({ replay }: { replay: ReplayState }) {
  const { count, asked } = replay;
  return (
    <>
      {count > 0 ? (
        <>
          <button type="button" class="button" onClick={replay.clear}>
            Select none
          </button>
          <button type="button" class="button button-primary" onClick={replay.askSelected}>
            Replay {count} selected…
          </button>
        </>
      ) : (
        <button type="button" class="button" onClick={replay.askFilter}>
          {replay.isFiltered ? 'Replay all found…' : 'Replay all…'}
        </button>
      )}
      {asked && (
        <PlanDialog
          title={titleOf(asked)}
          call={{ kind: 'replay', filter: filterOfAsked(asked) }}
          verb="Replay"
          onClose={replay.close}
        />
      )}
    </>
  );
}

function filterOfAsked(asked: ReplayAsked): Record<string, string> {
  if (asked.what === 'one') return coverOf([asked.event], []).filter;
  return asked.what === 'selected' ? asked.cover.filter : asked.filter;
}

/** Names the event, so that nobody replays another one than they mean. */
function titleOfOne({ id, type }: EventItem): string {
  return type === null ? `Replay event ${id}, which has no type` : `Replay ${type}, event ${id}`;
}

function titleOf(asked: ReplayAsked): string {
  if (asked.what === 'one') return titleOfOne(asked.event);
  if (asked.what === 'filter')
    return Object.keys(asked.filter).length > 0 ? 'Replay all events found' : 'Replay all events';
  const { count, cover } = asked;
  const chosen = `${count} selected ${count === 1 ? 'event' : 'events'}`;
  // A replay takes a filter, and no filter is as close as the selection: what comes with it is said before.
  if (cover.others > 0) return `Replay ${chosen}, and ${countText(cover.others)} like them in between`;
  return `Replay ${chosen}`;
}
