import { useState } from 'preact/hooks';
import type { FailureGroupItem, Failures } from '../../src/api/contract/failures.ts';
import { asApiError, put, type ApiError } from '../api/client.ts';
import { useApi } from '../api/use-api.ts';
import { PageHead } from '../parts/page-head.tsx';
import { PlanDialog } from '../parts/plan-dialog.tsx';
import { Empty, Failed, Loading, Stale } from '../parts/states.tsx';
import { Count, Time } from '../parts/time.tsx';
import { useQuery } from '../route/use-query.ts';
import { FailureGroup } from './failure-group.tsx';
import { useGroupKeys, useShownGroup } from './group-keys.ts';
import { readFailures, withMarks, type Marks } from './read-failures.ts';

/** How often the groups are read again, in milliseconds. All dead events are looked at each time: of many, less often. */
const EVERY_MS = 5_000;
const SLOW_EVERY_MS = 30_000;

/** Dead events, grouped by what failed: mend the cause, then run the group again. */
export function FailuresPage() {
  const [query, setQuery] = useQuery();
  const [isSlow, setSlow] = useState(false);
  const { data, error, reload } = useApi<Failures>('/failures', { everyMs: isSlow ? SLOW_EVERY_MS : EVERY_MS });
  const { groups: read, others, backTo, fault } = readFailures(data, error);
  if (backTo !== undefined && !isSlow) setSlow(true);
  const { marks, mark, markError } = useMarks(reload);
  const groups = withMarks(read ?? [], marks);
  const [replayed, setReplayed] = useState<FailureGroupItem>();
  const unknown = groups.filter(({ known_at }) => known_at === null);
  const known = groups.filter(({ known_at }) => known_at !== null);
  const list = {
    openKey: query['group'],
    onReplay: setReplayed,
    onMark: (group: FailureGroupItem) => mark(group.fingerprint, group.known_at === null),
  };
  useGroupKeys(groups, { onReplay: setReplayed, onMark: list.onMark });
  useShownGroup(query['group'], read !== undefined);
  return (
    <div class="page">
      <PageHead title="Failures" />
      {fault && (read ? <Stale error={fault} retry={reload} /> : <Failed error={fault} retry={reload} />)}
      {markError && <Failed error={markError} />}
      <LookedBack backTo={backTo} />
      {read === undefined && !fault && <Loading what="failures" />}
      {read !== undefined && backTo === undefined && unknown.length === 0 && (
        <NothingDead hasKnown={known.length > 0} />
      )}
      {unknown.length > 0 && <GroupList label="Failures" groups={unknown} {...list} />}
      {known.length > 0 && <KnownGroups groups={known} list={list} />}
      {others > 0 && (
        <p class="failures-note">
          <Count n={others} /> more {others === 1 ? 'event has' : 'events have'} failed in other ways. These groups are
          the latest.
        </p>
      )}
      {replayed && (
        <PlanDialog
          title="Replay this group"
          call={{ kind: 'replay', filter: { fingerprint: replayed.fingerprint } }}
          verb="Replay"
          onClose={() => {
            setReplayed(undefined);
            if (query['group'] === undefined) setQuery({ group: replayed.fingerprint }, { replace: true });
            reload();
          }}
        />
      )}
    </div>
  );
}

/** Tells that the time was over before all dead events were grouped. */
function LookedBack({ backTo }: { backTo: string | null | undefined }) {
  if (backTo === undefined) return null;
  return (
    <p class="failures-note" role="status">
      {backTo === null ? (
        'There was no time to look at any failure. This page tries again.'
      ) : (
        <>
          Looked back to <Time at={backTo} />; older failures are not counted.
        </>
      )}
    </p>
  );
}

function NothingDead({ hasKnown }: { hasKnown: boolean }) {
  return hasKnown ? (
    <Empty title="Nothing new has failed">
      What is known is below. A group comes back by itself when it happens again.
    </Empty>
  ) : (
    <Empty title="Nothing has failed">
      Every event could be applied. One that cannot appears here, with its reason.
    </Empty>
  );
}

interface ListActions {
  openKey: string | undefined;
  onReplay: (group: FailureGroupItem) => void;
  onMark: (group: FailureGroupItem) => void;
}

/** Known groups are folded, unless the address names one of them. */
function KnownGroups({ groups, list }: { groups: readonly FailureGroupItem[]; list: ListActions }) {
  const isNamed = groups.some(({ fingerprint }) => fingerprint === list.openKey);
  return (
    <details class="failures-known" open={isNamed || undefined}>
      <summary>
        Known <span class="failures-known-count">{groups.length}</span>
      </summary>
      <GroupList label="Known failures" groups={groups} {...list} />
    </details>
  );
}

function GroupList({ label, groups, ...list }: ListActions & { label: string; groups: readonly FailureGroupItem[] }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles -- Safari drops the role of a list without bullets
    <ul class="failures" role="list" aria-label={label}>
      {groups.map((group) => (
        <FailureGroup
          key={group.fingerprint}
          group={group}
          isOpen={group.fingerprint === list.openKey}
          onReplay={() => list.onReplay(group)}
          onMark={() => list.onMark(group)}
        />
      ))}
    </ul>
  );
}

/** What this tab marked. A worker carries it out a moment later; until the API says the same, the mark stands here. */
function useMarks(reload: () => void) {
  const [marks, setMarks] = useState<Marks>(new Map());
  const [markError, setError] = useState<ApiError>();
  function forget(fingerprint: string): void {
    setMarks((old) => new Map([...old].filter(([key]) => key !== fingerprint)));
  }
  function mark(fingerprint: string, isKnown: boolean): void {
    const at = Date.now();
    setError(undefined);
    setMarks((old) => new Map(old).set(fingerprint, { isKnown, at }));
    put(`/failures/${fingerprint}`, { known: isKnown }).then(reload, (error: unknown) => {
      forget(fingerprint);
      setError(asApiError(error));
    });
  }
  return { marks, mark, markError };
}
