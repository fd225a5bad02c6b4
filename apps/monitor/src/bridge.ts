import { printable, type Logger } from '@landline/process';
import type { ListedConversation, Provider } from '@landline/provider';
import { findRunning } from './find-running.ts';
import { followCall, type FollowedCall, type FollowOptions } from './followed-call.ts';
import type { MonitorMetrics } from './metrics.ts';
import { createOpenings, type Openings } from './openings.ts';
import type { Outbox } from './outbox.ts';
import { createPlaces } from './places.ts';
import { createRefusals, type Party, type Refusals } from './refusals.ts';

/** How many calls are followed at once. */
const MAX_CALLS = 1_000;

/** A call that so many lists in a row do not show is over. One list may miss a call that runs, because pages shift while it is read. */
const LISTS_UNTIL_OVER = 2;

/** A socket that is still open after so many lists without its call is closed. */
const LISTS_UNTIL_CLOSED = 20;

/** The code with which the provider closes the socket of an agent that may not be monitored. */
const POLICY_VIOLATION = 1008;

/** The codes of a socket that did not break. Its call may be over, so the next list decides whether it is opened again. */
const CLOSED_IN_ORDER: ReadonlySet<number> = new Set([1000, POLICY_VIOLATION]);

/** The parts of a bridge. */
export interface BridgeOptions {
  provider: Pick<Provider, 'conversations' | 'monitor'>;
  outbox: Pick<Outbox, 'add' | 'hasRoom'>;
  metrics: Pick<MonitorMetrics, 'reconnects' | 'refused'>;
  logger: Logger;
  maxCalls?: number;
  /** The current time in unix milliseconds. */
  now?: () => number;
}

/** The bridge between the provider's running calls and the outbox. */
export interface Bridge {
  /**
   * Lists the running calls, opens the sockets that are missing, and ends what is over.
   *
   * @returns Whether a call runs, or one is still to be ended.
   * @throws  {ProviderError} Then nothing has ended.
   */
  look(signal: AbortSignal): Promise<boolean>;
  /** Closes all sockets. */
  close(): void;
  /** How many calls have a socket. */
  openCalls(): number;
}

/** A followed call. */
interface Entry extends FollowedCall {
  /** How many lists in a row did not show it. */
  missed: number;
  /** How often a socket was opened. */
  opened: number;
}

/** Makes a bridge, which knows no call yet. */
export function createBridge(options: BridgeOptions): Bridge {
  const { outbox, metrics, logger, maxCalls = MAX_CALLS, now = Date.now } = options;
  const entries = new Map<string, Entry>();
  const refusals = createRefusals(now);
  /** Those whose socket stands, or whose end is still to be told. A call that is over but still listed keeps no place from another one. */
  const holders = () =>
    new Set([...entries.values()].filter((it) => it.isOpen() || it.hasStarted()).map(({ call }) => call.id));
  const places = createPlaces(holders, maxCalls, logger);

  const mayOpen = (listed: ListedConversation): boolean =>
    !refusals.isRefused(partyOf(listed)) &&
    outbox.hasRoom(listed.id) &&
    entries.get(listed.id)?.mayOpen() !== false &&
    places.isFor(listed.id);
  const open = (listed: ListedConversation): void => {
    const entry = entries.get(listed.id) ?? followEntry(listed, { ...options, now, entries, refusals, openings });
    entries.set(listed.id, entry);
    places.take(listed.id);
    if (entry.opened++ > 0) metrics.reconnects.inc();
    entry.open();
  };
  const openings = createOpenings({ mayOpen, isListed: (id) => entries.get(id)?.missed === 0, open });
  const endWhatIsOver = (entry: Entry): void => {
    entry.missed++;
    if (entry.isOpen() && entry.missed < LISTS_UNTIL_CLOSED) return;
    entry.close();
    // Without room its end is told after another list.
    if (entry.missed >= LISTS_UNTIL_OVER && (!entry.hasStarted() || entry.end())) entries.delete(entry.call.id);
  };
  return {
    async look(signal) {
      const running = await findRunning(options.provider, now(), signal);
      for (const entry of entries.values()) {
        if (!running.has(entry.call.id)) endWhatIsOver(entry);
        else entry.missed = 0;
      }
      places.count();
      // What is only initiated has no words yet, and its start may still change.
      const inProgress = [...running.values()].filter(({ status }) => status === 'in-progress');
      // A socket that has stood since the list before: the agent may be monitored, though nothing was said yet.
      for (const { id } of inProgress) if (entries.get(id)?.isOpen() === true) entries.get(id)?.start();
      // Those that were tried least: calls whose sockets never stand must not keep the others waiting.
      const timesOpened = ({ id }: ListedConversation): number => entries.get(id)?.opened ?? 0;
      const inTurn = inProgress.toSorted((a, b) => timesOpened(a) - timesOpened(b));
      openings.openListed(inTurn);
      return running.size + entries.size > 0;
    },
    close() {
      openings.close();
      for (const entry of entries.values()) entry.close();
    },
    openCalls: () => [...entries.values()].filter((entry) => entry.isOpen()).length,
  };
}

/** What an entry is made with. */
interface EntryParts extends Required<Omit<BridgeOptions, 'maxCalls'>> {
  entries: Map<string, Entry>;
  refusals: Refusals;
  openings: Pick<Openings, 'openAgain'>;
}

/** Follows a call, and minds what its socket's end says about the agent. */
function followEntry(listed: ListedConversation, { entries, refusals, openings, ...options }: EntryParts): Entry {
  const { id, agentId, direction, startedAt } = listed;
  const { metrics, logger } = options;
  const party = partyOf({ id, agentId });
  let refused = 0;
  const onClosed: FollowOptions['onClosed'] = ({ code, reason, pauseMs }) => {
    if (!CLOSED_IN_ORDER.has(code)) openings.openAgain(listed, pauseMs);
    refused = code === POLICY_VIOLATION ? refused + 1 : 0;
    if (refused === 0) return;
    metrics.refused.inc({ by: 'provider' });
    const result = refusals.note(party, refused);
    if (result === 'sure') logRefusal(logger, party.agent, reason);
    // Of a call that was never heard nothing is told.
    if (result !== undefined && !entry.hasStarted()) entries.delete(id);
  };
  const call = { id, agentId, direction, startedAt: Math.round(startedAt) };
  const followed = followCall(call, { ...options, onHeard: () => refusals.heard(party.agent), onClosed });
  const entry: Entry = { ...followed, missed: 0, opened: 0 };
  return entry;
}

function partyOf({ id, agentId }: Pick<ListedConversation, 'id' | 'agentId'>): Party {
  return { call: id, agent: agentId ?? id };
}

function logRefusal(logger: Logger, agent: string, reason: string): void {
  const said = reason === '' ? '' : ` (${printable(reason.slice(0, 200))})`;
  logger.warn(
    { agent: printable(agent) },
    `ElevenLabs lets nobody listen to a call of this agent${said}: that takes the enterprise plan, and monitoring_enabled on the agent. The call, and with a second one the agent, is left alone for an hour`,
  );
}
