import { audioWebhookOf, ended, makeConversation, webhookOf, type Account } from '../support/provider/conversation.ts';
import { printJson } from '../support/provider/print-json.ts';

/** How many conversations there are of each kind; `all` counts every one. */
export interface Sizes {
  all: number;
  never: number;
  silent: number;
  deleted: number;
  running: number;
}

/** Conversations of three days at the provider, and what of them has come here. */
export interface Scenario {
  /** Transcript and audio came. */
  came: Account[];
  /** Neither came. Every tenth was heard live. */
  never: Account[];
  /** The transcript came, the audio did not. */
  silent: Account[];
  /** Something never came, and cannot be fetched. */
  deleted: {
    /** Heard live; the provider does not have it any more. */
    gone: Account[];
    /** Unheard of; the provider lists it, and has no account of it any more. */
    listed: Account[];
    /** The transcript came, the audio did not; the provider does not have it any more. */
    voiceless: Account[];
  };
  /** They go on. Every second one was heard live. */
  running: Account[];
  /** It came, and was erased here together with the user. */
  erased: Account;
  /** A call of the same user from before, that never came. */
  forgotten: Account;
}

const HOUR = 3600;

/** Makes the conversations, spread over the three days that ended two hours ago. */
export function makeScenario({ all, never, silent, deleted, running }: Sizes, nowSeconds: number): Scenario {
  let made = 0;
  const first = nowSeconds - 71 * HOUR;
  const step = (69 * HOUR) / all;
  const make = (kind: string, more: Partial<Parameters<typeof makeConversation>[0]> = {}): Account =>
    makeConversation({ id: `conv_${kind}_${made}`, startedAt: Math.floor(first + step * made++), ...more });
  const several = (count: number, kind: string, more?: Parameters<typeof make>[1]): Account[] =>
    Array.from({ length: count }, () => make(kind, more));
  const share = Math.ceil(deleted / 3);
  return {
    erased: make('erased', { userId: 'user_erased' }),
    forgotten: make('forgotten', { userId: 'user_erased' }),
    never: several(never, 'never'),
    silent: several(silent, 'silent'),
    deleted: {
      gone: several(share, 'gone'),
      listed: several(share, 'listed'),
      voiceless: several(deleted - 2 * share, 'voiceless'),
    },
    came: several(all - never - silent - deleted - running - 2, 'came'),
    running: several(running, 'running', { status: 'in-progress', said: ['Hello, how can I help?'] }),
  };
}

/** Returns the ids of conversations. */
export const idsOf = (accounts: readonly Account[]): string[] => accounts.map(({ conversation_id: id }) => id);

/** Returns all that are unfetchable. */
export const unfetchableOf = ({ deleted }: Scenario): Account[] => Object.values(deleted).flat();

/** Returns what the provider has: all but those that it has no more. */
export function atProvider(scenario: Scenario): Account[] {
  const { came, never, silent, running, deleted, erased, forgotten } = scenario;
  return [...came, ...never, ...silent, ...running, ...deleted.listed, erased, forgotten];
}

/** Returns the bodies that came here, of each call in the order in which they were sent. */
export function bodiesThatCame({ came, never, silent, running, deleted, erased }: Scenario): Buffer[] {
  return [
    ...[...came, erased].flatMap(bodiesOf),
    ...[...silent, ...deleted.voiceless].map((account) => webhookOf(account)),
    ...[...heard(never, running), ...deleted.gone].flatMap(liveBodiesOf),
  ];
}

/** Returns the bodies that come where nothing is lost; the running calls are over. */
export function allBodies({ came, never, silent, running }: Scenario): Buffer[] {
  return [
    ...[...came, ...never, ...silent, ...running.map(whenOver)].flatMap(bodiesOf),
    ...heard(never, running).flatMap(liveBodiesOf),
  ];
}

/** Returns what becomes of a running call: it ended long enough ago that its webhooks are missed. */
export const whenOver = (account: Account): Account => ended(account, { durationSeconds: 30 });

/** Returns the webhooks of a call. */
export const bodiesOf = (account: Account): Buffer[] => [webhookOf(account), audioWebhookOf(account)];

/** The calls of which live events came. */
const heard = (never: readonly Account[], running: readonly Account[]): Account[] => [
  ...never.filter((_, i) => i % 10 === 0),
  ...running.filter((_, i) => i % 2 === 0),
];

function liveBodiesOf(account: Account): Buffer[] {
  const { agent_id, conversation_id, user_id, metadata } = account;
  const at = metadata.start_time_unix_secs;
  const own = { agent_id, conversation_id, user_id };
  const said = { ...own, message_id: 'msg_1', role: 'agent', message: 'Hello, how can I help?', time_in_call_secs: 0 };
  return [
    { type: 'conversation.started', event_timestamp: at, event_id: `${conversation_id}_started`, data: own },
    { type: 'conversation.message', event_timestamp: at + 1, event_id: `${conversation_id}_said`, data: said },
  ].map((event) => Buffer.from(printJson(event)));
}
