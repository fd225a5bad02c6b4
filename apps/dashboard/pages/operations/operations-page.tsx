import { useState } from 'preact/hooks';
import type { OperationItem } from '../../src/api/contract/operations.ts';
import { usePages } from '../api/use-pages.ts';
import { FollowButton } from '../parts/follow-button.tsx';
import { ItemList } from '../parts/item-list.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { SplitView } from '../parts/split-view.tsx';
import { Empty, Failed, Loading } from '../parts/states.tsx';
import { useQuery } from '../route/use-query.ts';
import { OperationDetail } from './operation-detail.tsx';
import { OperationRow } from './operation-row.tsx';
import { isOpen } from './progress.ts';

/** While something runs the list is read each second, else now and then. */
const RUNNING_MS = 1_000;
const QUIET_MS = 4_000;

const keyOf = (operation: OperationItem): string => operation.id;

/** Long work: what was asked for, how far it is, and an end to it. */
export function OperationsPage() {
  const [query, setQuery] = useQuery();
  const [isBusy, setBusy] = useState(false);
  const pages = usePages<OperationItem>('/operations?limit=50', { everyMs: isBusy ? RUNNING_MS : QUIET_MS, keyOf });
  const hasOpen = pages.items.some(isOpen);
  if (hasOpen !== isBusy) setBusy(hasOpen);
  const id = query['operation'];
  return (
    <div class="page-fill">
      <PageHead title="Operations">
        <FollowButton pages={pages} />
      </PageHead>
      <SplitView
        label="Operation"
        detail={id !== undefined && <OperationDetail key={id} id={id} onEnded={pages.reload} />}
        onClose={() => setQuery({ operation: undefined })}
      >
        {pages.error && <Failed error={pages.error} retry={pages.reload} />}
        {!pages.error && pages.isLoading && pages.items.length === 0 && <Loading what="operations" />}
        {!pages.error && !pages.isLoading && pages.items.length === 0 && (
          <Empty title="No operation yet">
            A replay, a readmission, an erasure, a rebuild or a comparison with ElevenLabs stands here, with how far it
            is.
          </Empty>
        )}
        {pages.items.length > 0 && (
          <ItemList
            items={pages.items}
            keyOf={keyOf}
            label="Operations"
            rowHeight={58}
            openKey={id}
            onOpen={(operation) => setQuery({ operation: operation.id }, { replace: id !== undefined })}
            hrefOf={(operation) => `/operations?operation=${operation.id}`}
            following={pages}
            onEnd={pages.more}
            renderItem={(operation) => <OperationRow operation={operation} />}
          />
        )}
      </SplitView>
    </div>
  );
}
