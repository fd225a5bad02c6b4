import { useMemo, useState } from 'preact/hooks';
import type { EventItem } from '../../src/api/contract/events.ts';
import type { Pages } from '../api/use-pages.ts';
import { useKeys } from '../keys/use-keys.ts';
import { coverOf, type Cover } from './replay-call.ts';
import { selectedItems, selectKeys, type Selection } from './selection.ts';

/** What a person wants to replay. */
export type ReplayAsked =
  | { what: 'one'; event: EventItem }
  | { what: 'selected'; count: number; cover: Cover }
  | { what: 'filter'; filter: Record<string, string> };

const NONE: Selection<EventItem> = new Map();

interface Replayed {
  pages: Pages<EventItem>;
  filter: Record<string, string>;
  path: string;
  openId: string | undefined;
}

/** What is selected, and what somebody wants to replay. */
export function useReplay({ pages, filter, path, openId }: Replayed) {
  const [selected, setSelected] = useState<{ path: string; events: Selection<EventItem> }>({ path, events: NONE });
  const [asked, setAsked] = useState<ReplayAsked>();
  // Another filter is another list: what was selected in the old one is not seen any more.
  const events = selected.path === path ? selected.events : NONE;
  const selection: ReadonlySet<string> = useMemo(() => new Set(events.keys()), [events]);
  const chosen = useMemo(() => selectedItems(events, pages.items), [pages.items, events]);
  function askSelected(): void {
    setAsked({ what: 'selected', count: chosen.length, cover: coverOf(chosen, pages.items, filter) });
  }
  function askAny(): void {
    if (chosen.length > 0) askSelected();
    else setAsked({ what: 'filter', filter });
  }
  const replay = { does: 'Replay the selected events, else all that are found', run: askAny };
  // The event that is open has this key for itself, while none is selected.
  useKeys(openId === undefined || chosen.length > 0 ? { r: replay } : {});
  return {
    selection,
    count: chosen.length,
    isFiltered: Object.keys(filter).length > 0,
    asked,
    ask: setAsked,
    askSelected,
    askFilter: () => setAsked({ what: 'filter', filter }),
    close: () => setAsked(undefined),
    select: (ids: ReadonlySet<string>) => {
      pages.pause();
      setSelected({ path, events: selectKeys(ids, events, pages.items) });
    },
    clear: () => setSelected({ path, events: NONE }),
  };
}

export type ReplayState = ReturnType<typeof useReplay>;
