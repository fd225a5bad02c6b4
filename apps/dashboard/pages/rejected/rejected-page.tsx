import { useState } from 'preact/hooks';
import type { OperationCall } from '../../src/api/contract/operations.ts';
import type { CauseItem, RejectedItem } from '../../src/api/contract/rejected.ts';
import { usePages, type Pages } from '../api/use-pages.ts';
import { useKeys } from '../keys/use-keys.ts';
import { FilterBar } from '../parts/filter-bar.tsx';
import { FollowButton } from '../parts/follow-button.tsx';
import { ItemList } from '../parts/item-list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { PlanDialog } from '../parts/plan-dialog.tsx';
import { SplitView } from '../parts/split-view.tsx';
import { Empty, Failed, Loading } from '../parts/states.tsx';
import { useQuery } from '../route/use-query.ts';
import { CauseGroups } from './cause-groups.tsx';
import { CAUSE_NAMES } from './causes.ts';
import { RejectedDetail } from './rejected-detail.tsx';
import { RejectedRow } from './rejected-row.tsx';
import { requestHref } from './request-href.ts';

/** How often the first page is read. */
const EVERY_MS = 5_000;

const WORDS = [
  { name: 'cause', label: 'Why it was refused', values: CAUSE_NAMES, placeholder: 'another_secret' },
  { name: 'since', label: 'From this time on', values: ['1h', '24h', '7d'] },
  { name: 'until', label: 'Up to this time', values: ['1h', '24h', '7d'] },
];

const keyOf = (request: RejectedItem): string => request.id;

/** The words of the address that choose requests. */
function filterOf(query: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(WORDS.flatMap(({ name }) => (query[name] ? [[name, query[name]]] : [])));
}

/** Whether causes came with the first page: they are over all pages of the filter. */
function hasCauses(first: unknown): first is { causes: readonly CauseItem[] } {
  return typeof first === 'object' && first !== null && 'causes' in first && Array.isArray(first.causes);
}

/** Requests that were refused: why, what to do, and those that were good after all let in. */
export function RejectedPage() {
  const [query, setQuery] = useQuery();
  const [readmission, setReadmission] = useState<Record<string, string>>();
  const filter = filterOf(query);
  const search = new URLSearchParams(filter).toString();
  const pages = usePages<RejectedItem>(`/rejected?limit=50${search === '' ? '' : `&${search}`}`, {
    everyMs: EVERY_MS,
    keyOf,
  });
  const id = query['request'];
  useKeys({ r: { does: 'Readmit what the filter selects', run: () => setReadmission(filter) } });
  const call: OperationCall | undefined = readmission && { kind: 'readmit', filter: readmission };
  return (
    <div class="page-fill">
      <PageHead title="Rejected">
        <button type="button" class="button" onClick={() => setReadmission(filter)}>
          Readmit…
        </button>
        <FollowButton pages={pages} />
      </PageHead>
      <div class="filter-row">
        <FilterBar words={WORDS} />
      </div>
      <SplitView
        label="Refused request"
        detail={id !== undefined && <RejectedDetail key={id} id={id} onReadmit={setReadmission} />}
        onClose={() => setQuery({ request: undefined })}
      >
        <CauseGroups
          causes={hasCauses(pages.first) ? pages.first.causes : []}
          chosen={query['cause']}
          onChoose={(cause) => setQuery({ cause, request: undefined })}
          onReadmit={(cause) => setReadmission({ ...filter, cause })}
        />
        <Requests
          pages={pages}
          openId={id}
          hasFilter={search !== ''}
          onOpen={(request) => setQuery({ request }, { replace: id !== undefined })}
        />
      </SplitView>
      {call && (
        <PlanDialog title="Readmit requests" verb="Readmit" call={call} onClose={() => setReadmission(undefined)} />
      )}
    </div>
  );
}

interface RequestsProps {
  pages: Pages<RejectedItem>;
  openId: string | undefined;
  hasFilter: boolean;
  onOpen: (id: string) => void;
}

/** The list, or why there is none. */
function Requests({ pages, openId, hasFilter, onOpen }: RequestsProps) {
  const { items, error, isLoading } = pages;
  if (error && items.length === 0) return <Failed error={error} retry={pages.reload} />;
  if (items.length === 0 && isLoading) return <Loading what="refused requests" />;
  if (items.length === 0) {
    return hasFilter ? (
      <Empty title="None was refused for this">Take a word out of the filter to see more.</Empty>
    ) : (
      <Empty title="No request was refused">
        A request whose signature is not good stands here, with why it was refused and what to do.
      </Empty>
    );
  }
  return (
    <>
      {error && <Failed error={error} retry={pages.reload} />}
      <ItemList
        items={items}
        keyOf={keyOf}
        label="Refused requests"
        rowHeight={38}
        narrowRowHeight={54}
        openKey={openId}
        onOpen={(request) => onOpen(request.id)}
        hrefOf={(request) => requestHref(location.search, request.id)}
        following={pages}
        onEnd={pages.more}
        renderItem={(request) => <RejectedRow request={request} />}
      />
    </>
  );
}
