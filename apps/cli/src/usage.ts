/** What each command takes and does; the first word is its name. */
const ENTRIES: readonly string[] = [
  `send <type or file> [--count n] [--url u]   signs and sends real-shaped events`,
  `send post_call_audio --seconds n            sends a recording of that length, made while it is sent`,
  `send conversation-initiation --caller <number> [--called n] [--agent id] [--conversation id] [--call-sid s] [--url u]
                                              asks who is calling, as ElevenLabs does, and prints the answer`,
  `context [--url u]                           prints the agent-context JSON; --url: where ElevenLabs reaches the receiver`,
  `migrate                                     brings the tables up to date`,
  `roles <folder> [--new-passwords]            makes the database's roles for owner, worker and reader; keeps their URLs there`,
  `sql "<query>"                               shows rows; the query can only read`,
  `journal list|verify                         shows the files of journal and spool; reads all of them`,
  `show <event id> [--json]                    shows an event of the ledger, and where its audio is`,
  `show <event id> --body                      writes the exact bytes that were received, and checks them
                                              (npm run --silent landline -- show …, or npm adds lines of its own)`,
  `events [filter] [--after p] [--limit n] [--json]
                                              lists events of the ledger, newest first`,
  `replay [filter] [--plan] [--rate n] [--yes] [--json]
                                              puts events of the ledger through the worker again`,
  `reconcile [--since t] [--plan] [--yes] [--json]
                                              compares the conversations with ElevenLabs' own, and fetches what never came`,
  `reconcile --conversation <id> [--plan] [--yes] [--json]
                                              fetches one call again, and says what is here of it; --plan: what is here now`,
  `rebuild [--plan] [--swap] [--rate n] [--yes] [--json]
                                              builds all tables anew from the ledger, says what differs, swaps them in`,
  `rebuild --conversation <id> [--plan] [--yes] [--json]
                                              makes the rows of one call anew`,
  `rebuild --drop-old [--plan] [--yes]         drops the tables that swaps have replaced`,
  `retention [--plan] [--yes] [--json]         deletes what is too old, and what calls' accounts order to be deleted`,
  `erase --conversation <id> | --user <id> | --number <n> [--plan] [--yes] [--json]
                                              forgets a call, or a person, everywhere`,
  `provider [--json]                           says what is wrong at ElevenLabs, and what to click: key, webhook, events, agents`,
  `provider --enable-retries [--yes] [--json]  has ElevenLabs repeat transcripts that failed`,
  `operations [show <id> | cancel <id>] [--json]
                                              lists running and finished operations, shows one, or ends one`,
  `journal enqueue --since <time> [--until <time>] [--dry-run]
                                              puts on the queue again what was journalled since then (2h, or an ISO time)`,
  `rejected list|show <id> [--json]            shows requests that were answered 401, with what was found about each`,
  `rejected readmit [--since t] [--until t] [--cause c] [--plan] [--yes] [--json]
                                              verifies them with today's secrets, and enqueues those that pass`,
  `diagnose <body file> --header "t=…,v0=…" [--secret s]
                                              says which change would make a signature pass`,
  `help                                        this text`,
];

const FILTER = `Filter of events and replay, all of which must hold: --type --outcome applied|ignored|dead --origin --conversation
  --agent --user --number --error <code> --fingerprint <of a group of failures>   --since and --until <2h, 7d or an ISO time>   --text <what stands in the body>`;

/** The commands that take a filter. */
const FILTERED: readonly string[] = ['events', 'replay'];

/** The text of `landline help`. */
export const USAGE = `Usage: npm run landline -- <command>

${indented(ENTRIES)}

${FILTER}

Everything on this machine: npm start. The tests: npm test.`;

/** Returns the help of one command; that of all, where there is no such command. */
export function usageOf(command: string): string {
  const entries = ENTRIES.filter((entry) => entry.split(' ', 1)[0] === command);
  if (entries.length === 0) return USAGE;
  const filter = FILTERED.includes(command) ? `\n\n${FILTER}` : '';
  return `Usage: npm run landline --\n\n${indented(entries)}${filter}`;
}

function indented(entries: readonly string[]): string {
  return entries.map((entry) => `  ${entry}`).join('\n');
}
