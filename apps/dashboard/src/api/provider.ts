import { FINDING_LEVELS, providerCheckSchema, RECONCILE, type ProviderCheck } from '@landline/operations';
import type { FoundRun, Lookups } from '@landline/store';
import { boundedText, firstOf, listedText } from './bounded.ts';
import { providerSchema, type Provider, type ProviderCheckItem, type RunItem } from './contract/provider.ts';
import { inTime } from './deadline.ts';
import { lookupsOf, type ApiPorts } from './ports.ts';
import { route, type ApiRoute } from './route.ts';
import { iso, isoOrNull } from './shown-time.ts';

/** How many runs are shown: a quarter of a day, where one is made every 15 minutes. */
const MOST_RUNS = 24;

/** How much of these texts is shown, in bytes, and how much the findings and the agents may have together. */
const TEXT_BYTES = 2_000;
const NAME_BYTES = 500;
const FINDINGS_BYTES = 120_000;
const AGENTS_BYTES = 60_000;

/** The findings which say that not all agents were read: see packages/operations/src/provider-check/findings. */
const NOT_ALL_AGENTS = ['agents_more', 'agents_unseen', 'agents_failed'];

/** What is said where nobody has looked at ElevenLabs' side. */
const NOBODY_LOOKED =
  'No worker has looked at ElevenLabs’ side so far. Set ELEVENLABS_API_KEY for the workers and restart them: they look every five minutes, and fetch what never came.';

/** What is said where the newest look cannot be read. */
const UNREADABLE = 'The newest look at ElevenLabs’ side was saved by another version: update the dashboard.';

/** GET /provider. */
export function providerRoute(ports: Pick<ApiPorts, 'lookups'>): ApiRoute {
  return route({
    method: 'GET',
    path: '/provider',
    summary: 'Shows the newest look at ElevenLabs’ side, and how complete the conversations are.',
    answer: providerSchema,
    handle: ({ signal }) => inTime(readProvider(lookupsOf(ports)), signal),
  });
}

async function readProvider({ reconcile, operations }: Lookups): Promise<Provider> {
  const [saved, completeness, runs, failure, isReconciling] = await Promise.all([
    reconcile.check(),
    reconcile.countsInBounds(),
    reconcile.runs(MOST_RUNS),
    reconcile.lastFailure(),
    operations.isUnderWay(RECONCILE),
  ]);
  const { data: check } = providerCheckSchema.safeParse(saved?.check);
  const isUnreadable = saved !== undefined && check === undefined;
  const good = runs.find(({ finishedAt, error }) => finishedAt !== null && error === null);
  return {
    at: iso(Date.now()),
    check: check === undefined ? null : shownCheck(check),
    advice: check === undefined ? (isUnreadable ? UNREADABLE : NOBODY_LOOKED) : null,
    completeness,
    runs: runs.map(shownRun),
    last_failure:
      failure === undefined
        ? null
        : { id: failure.id, at: iso(failure.at), error: listedText(failure.error, TEXT_BYTES) },
    reconciled_at: isoOrNull(good?.finishedAt ?? null),
    is_reconciling: isReconciling,
  };
}

/** The check, the worst findings first. */
function shownCheck({ checkedAt, findings, isWebhookUp, lastFailure, agents }: ProviderCheck): ProviderCheckItem {
  return {
    checked_at: iso(checkedAt),
    is_webhook_up: isWebhookUp,
    last_failure: lastFailure && {
      at: iso(lastFailure.at),
      code: lastFailure.code,
      answered: boundedText(lastFailure.answered, TEXT_BYTES),
    },
    findings: firstOf(
      findings.toSorted((a, b) => FINDING_LEVELS.indexOf(b.level) - FINDING_LEVELS.indexOf(a.level)),
      ({ code, level, what, todo = null }) => ({
        code: textOf(code, NAME_BYTES),
        level,
        what: textOf(what, TEXT_BYTES),
        todo: listedText(todo, TEXT_BYTES),
      }),
      FINDINGS_BYTES,
    ),
    agents: firstOf(
      agents,
      ({ id, name }) => ({ id: textOf(id, NAME_BYTES), name: textOf(name, NAME_BYTES) }),
      AGENTS_BYTES,
    ),
    agent_count: agents.length,
    has_more_agents: findings.some(({ code }) => NOT_ALL_AGENTS.includes(code)),
  };
}

function textOf(text: string, mostBytes: number): string {
  return listedText(text, mostBytes) ?? '';
}

function shownRun(run: FoundRun): RunItem {
  return {
    id: run.id,
    window_from: iso(run.windowFrom),
    window_to: iso(run.windowTo),
    started_at: iso(run.startedAt),
    finished_at: isoOrNull(run.finishedAt),
    error: listedText(run.error, TEXT_BYTES),
    operation_status: run.operationStatus,
    listed: run.listed,
    complete: run.complete,
    waiting: run.waiting,
    fetched: run.fetched,
    fetched_recordings: run.fetchedRecordings,
    unfetchable: run.unfetchable,
  };
}
