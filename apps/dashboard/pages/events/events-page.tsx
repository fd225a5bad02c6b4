import type { EventItem } from '../../src/api/contract/events.ts';
import { usePages, type Pages } from '../api/use-pages.ts';
import { FilterBar } from '../parts/filter-bar.tsx';
import { filterOf, filterPath } from '../parts/filter-path.ts';
import { FollowButton } from '../parts/follow-button.tsx';
import { ItemList } from '../parts/item-list.tsx';
import { LookedBack } from '../parts/looked-back.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { SplitView } from '../parts/split-view.tsx';
import { Empty, Failed, Loading } from '../parts/states.tsx';
import { changedQuery } from '../route/changed-query.ts';
import { useQuery } from '../route/use-query.ts';
import { EventDetail } from './event-detail.tsx';
import { EventRow } from './event-row.tsx';
import { EVENT_TYPES, OUTCOMES } from './event-words.ts';
import { Replay } from './replay.tsx';
import { useReplay } from './use-replay.ts';

/** Times that are often meant. Others can be typed. */
const SPANS = ['1h', '24h', '7d'];

const WORDS = [
  { name: 'type', label: 'Type of event', values: EVENT_TYPES, placeholder: 'conversation.started' },
  { name: 'outcome', label: 'What became of it', values: OUTCOMES, placeholder: 'dead' },
  { name: 'conversation', label: 'Conversation', placeholder: 'conversation id' },
  { name: 'user', label: 'User', placeholder: 'user id' },
  { name: 'number', label: 'Number', placeholder: '+12025550123' },
  { name: 'agent', label: 'Agent', placeholder: 'agent id' },
  { name: 'error', label: 'Code of its fault', placeholder: 'unknown_type' },
  { name: 'fingerprint', label: 'Group of failures', placeholder: '0f3a…' },
  { name: 'origin', label: 'How it came', placeholder: 'webhook' },
  { name: 'since', label: 'From this time on', values: SPANS, placeholder: '2h or 2026-01-31T14:30:00Z' },
  { name: 'until', label: 'Up to this time', values: SPANS, placeholder: '30m or 2026-01-31T14:30:00Z' },
];
const FILTER = [...WORDS.map(({ name }) => name), 'text'];

/** How often the newest are asked for while one follows, in milliseconds. */
const EVERY_MS = 2_000;

function keyOf({ id }: EventItem): string {
  return id;
}

/** The same list with this event open. */
function hrefOf({ id }: EventItem): string {
  return `/events${changedQuery(location.search, { event: id })}`;
}

/** The ledger: every event that came, what became of it, and its body. */
export function EventsPage() {
  const [query, setQuery] = useQuery();
  const filter = filterOf(query, FILTER);
  const path = filterPath('/events', query, FILTER);
  // A search for text reads bodies: it is asked once, and goes on when somebody says so.
  const everyMs = filter['text'] ? 0 : EVERY_MS;
  const pages = usePages<EventItem>(path, { everyMs, keyOf });
  const openId = query['event'];
  const replay = useReplay({ pages, filter, path, openId });
  const close = (): void => setQuery({ event: undefined });
  return (
    <div class="page-fill">
      <PageHead title="Events">
        <Replay replay={replay} />
        {everyMs > 0 && <FollowButton pages={pages} />}
      </PageHead>
      <div class="filter-row">
        <FilterBar words={WORDS} text />
      </div>
      <SplitView
        label="Event"
        onClose={close}
        detail={
          openId && (
            <EventDetail
              id={openId}
              isReplayKey={replay.count === 0}
              onReplay={(event) => replay.ask({ what: 'one', event })}
            />
          )
        }
      >
        <List
          pages={pages}
          placeName={path}
          isFiltered={Object.keys(filter).length > 0}
          openId={openId}
          onOpen={({ id }) => setQuery({ event: id }, { replace: openId !== undefined })}
          selection={replay.selection}
          onSelect={replay.select}
        />
      </SplitView>
    </div>
  );
}

interface ListProps {
  pages: Pages<EventItem>;
  placeName: string;
  isFiltered: boolean;
  openId: string | undefined;
  onOpen: (item: EventItem) => void;
  selection: ReadonlySet<string>;
  onSelect: (selection: ReadonlySet<string>) => void;
}

function List({ pages, placeName, isFiltered, openId, onOpen, selection, onSelect }: ListProps) {
  const { items, isLoading, error, timedOut } = pages;
  if (items.length === 0) {
    if (timedOut) return <LookedBack pages={pages} what="events" />;
    if (error) return <Failed error={error} retry={pages.reload} />;
    if (isLoading) return <Loading what="events" />;
    return isFiltered ? (
      <Empty title="No event matches">Take a word out of the filter, or look at a longer time.</Empty>
    ) : (
      <Empty title="No events yet">The first one appears here as soon as a worker has seen it.</Empty>
    );
  }
  return (
    <>
      {error && <Failed error={error} retry={pages.reload} />}
      <ItemList
        items={items}
        keyOf={keyOf}
        label="Events"
        renderItem={(item) => <EventRow item={item} isSelected={selection.has(item.id)} />}
        rowHeight={40}
        narrowRowHeight={60}
        openKey={openId}
        onOpen={onOpen}
        hrefOf={hrefOf}
        selection={selection}
        onSelect={onSelect}
        onEnd={timedOut ? undefined : pages.more}
        following={pages}
        placeName={placeName}
      />
      <LookedBack pages={pages} what="events" />
    </>
  );
}
