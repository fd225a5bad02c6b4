import { useLocation } from 'preact-iso/router';
import { useEffect } from 'preact/hooks';
import type { ConversationItem } from '../../src/api/contract/conversations.ts';
import { usePages, type Pages } from '../api/use-pages.ts';
import { COMPLETENESS } from '../parts/completeness-words.ts';
import { FilterBar } from '../parts/filter-bar.tsx';
import { filterPath } from '../parts/filter-path.ts';
import { FollowButton } from '../parts/follow-button.tsx';
import { ItemList } from '../parts/item-list.tsx';
import { LookedBack } from '../parts/looked-back.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { SplitView } from '../parts/split-view.tsx';
import { Empty, Failed, Loading } from '../parts/states.tsx';
import { useQuery } from '../route/use-query.ts';
import { ConversationRow } from './conversation-row.tsx';
import { OUTCOMES, STATUSES } from './conversation-words.ts';
import { noteList } from './list-address.ts';

/** Times that are often meant. Others can be typed. */
const SPANS = ['1h', '24h', '7d'];

const WORDS = [
  { name: 'status', label: 'Status', values: STATUSES },
  { name: 'outcome', label: 'Outcome', values: OUTCOMES },
  { name: 'completeness', label: 'How complete it is', values: COMPLETENESS },
  { name: 'user', label: 'User', placeholder: 'user id' },
  { name: 'number', label: 'Number', placeholder: '+12025550123' },
  { name: 'agent', label: 'Agent', placeholder: 'agent id' },
  { name: 'conversation', label: 'Conversation', placeholder: 'conversation id' },
  { name: 'language', label: 'Language', placeholder: 'ar' },
  { name: 'channel', label: 'Channel', placeholder: 'phone' },
  { name: 'min_duration', label: 'At least, in seconds', placeholder: '60' },
  { name: 'max_duration', label: 'At most, in seconds', placeholder: '600' },
  { name: 'since', label: 'From this time on', values: SPANS, placeholder: '2h or 2026-01-31T14:30:00Z' },
  { name: 'until', label: 'Up to this time', values: SPANS, placeholder: '30m or 2026-01-31T14:30:00Z' },
];
const FILTER = [...WORDS.map(({ name }) => name), 'text'];

/** How often the newest are asked for while one follows, in milliseconds. */
const EVERY_MS = 5_000;

function keyOf({ id }: ConversationItem): string {
  return id;
}

/** A search goes along: the conversation shows the place. */
function hrefOf({ id }: ConversationItem, text: string | undefined): string {
  return `/conversations/${encodeURIComponent(id)}${text ? `?${new URLSearchParams({ text })}` : ''}`;
}

/** All conversations, newest first, and the search for one. */
export function ConversationsPage() {
  const [query] = useQuery();
  useEffect(() => noteList(location.search), [query]);
  // A search for text reads messages: it is asked once, and goes on when somebody says so.
  const everyMs = query['text'] ? 0 : EVERY_MS;
  const path = filterPath('/conversations', query, FILTER);
  const pages = usePages<ConversationItem>(path, { everyMs, keyOf });
  return (
    <div class="page-fill">
      <PageHead title="Conversations">{everyMs > 0 && <FollowButton pages={pages} />}</PageHead>
      <div class="filter-row">
        <FilterBar words={WORDS} text placeholder="Search what was said, or filter, such as user:…" />
      </div>
      <SplitView label="Conversation" detail={undefined} onClose={() => undefined}>
        <List
          pages={pages}
          placeName={path}
          isFiltered={FILTER.some((word) => query[word])}
          hrefOf={(item) => hrefOf(item, query['text'])}
        />
      </SplitView>
    </div>
  );
}

interface ListProps {
  pages: Pages<ConversationItem>;
  placeName: string;
  isFiltered: boolean;
  hrefOf: (item: ConversationItem) => string;
}

function List({ pages, placeName, isFiltered, hrefOf: addressOf }: ListProps) {
  const { items, isLoading, error, timedOut } = pages;
  const { route } = useLocation();
  if (items.length === 0) {
    if (timedOut) return <LookedBack pages={pages} what="conversations" />;
    if (error) return <Failed error={error} retry={pages.reload} />;
    if (isLoading) return <Loading what="conversations" />;
    return isFiltered ? (
      <Empty title="No conversation matches">Take a word out of the filter, or look at a longer time.</Empty>
    ) : (
      <Empty title="No conversations yet">The first one appears here as soon as its first event was applied.</Empty>
    );
  }
  return (
    <>
      {error && <Failed error={error} retry={pages.reload} />}
      <ItemList
        items={items}
        keyOf={keyOf}
        label="Conversations"
        renderItem={(item) => <ConversationRow item={item} />}
        rowHeight={60}
        narrowRowHeight={92}
        onOpen={(item) => route(addressOf(item))}
        hrefOf={addressOf}
        // A search that ran out of time goes on only when somebody says so.
        onEnd={timedOut ? undefined : pages.more}
        following={pages}
        placeName={placeName}
      />
      <LookedBack pages={pages} what="conversations" />
    </>
  );
}
