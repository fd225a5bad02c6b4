import { FETCH_CONVERSATION, fetchConversationWords } from '@landline/operations';
import { openReconcileReader, type KnownCall } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findReadableDatabase } from '../find-database.ts';
import { escapeControls } from '../format-table.ts';
import { describeOperation, endDocument } from '../operations/describe-operation.ts';
import { complain } from '../operations/follow-operation.ts';
import { INTERRUPTED, runOperation } from '../operations/run-operation.ts';
import { readEnvFile, type Environment } from '../start/env-file.ts';

/** What the command line asks for. */
export interface WantedCall {
  /** Its id. */
  conversation: string;
  plan: boolean;
  yes: boolean;
  json: boolean;
}

/** What a person reads of a call that was erased, and of one that nobody here knows. */
const ERASED = 'The conversation was erased here: it is not fetched.';
const NOTHING = 'Nothing of this conversation is here.';

/**
 * `landline reconcile --conversation <id> [--plan] [--yes] [--json]`: has a worker fetch one conversation again, however complete it is, and says what is here of
 * it then. With `--plan` it says what is here now, and asks nothing of the provider. Of an erased conversation no worker is asked.
 *
 * @returns  The exit code: 0 where the conversation is complete, where a plan has something to show, or the answer was no; 1 where nothing is here to plan with,
 *           where the conversation was erased, or the operation failed or was cancelled; 130 after Ctrl-C.
 * @throws   {CliError} `configuration_invalid`, `query_failed`.
 */
export async function fetchOne(wanted: WantedCall, context: CommandContext): Promise<number> {
  const { conversation, plan, yes, json } = wanted;
  const { print } = context;
  const env = await readEnvFile(context.root, context.env);
  const before = await readKnown(conversation, env, context);
  if (plan) return printPlan(wanted, before, context);
  if (before?.isErased === true) {
    if (json) print(documentText(hereDocument(conversation, before)));
    complain(ERASED, context);
    return 1;
  }
  if (!yes && !json) print(describeHere(before));
  if (!yes && !(await context.ask?.('Fetch it from ElevenLabs?'))) {
    complain('Nothing was changed.', context);
    return 0;
  }
  const asked = { kind: FETCH_CONVERSATION, filter: fetchConversationWords(conversation), env };
  const operation = await runOperation(asked, context);
  if (operation === undefined) return INTERRUPTED;
  const known = await readKnown(conversation, env, context);
  if (json) print(documentText({ ...hereDocument(conversation, known), ...endDocument(operation) }));
  else print(`${describeOperation(operation)}\n${describeHere(known)}`);
  return operation.status === 'done' ? 0 : 1;
}

/** Prints what is here. An id of which nothing is here does not exist, as far as this command looks: it exits with 1. */
function printPlan(
  { conversation, json }: WantedCall,
  known: KnownCall | undefined,
  { print }: Pick<CommandContext, 'print'>,
): number {
  if (json) print(documentText(hereDocument(conversation, known)));
  else if (known === undefined) print(`${NOTHING} Whether ElevenLabs has it is asked without --plan alone.`);
  else print(describeHere(known));
  return known === undefined ? 1 : 0;
}

/** Reads what the tables have of a conversation; undefined: nothing. A role that may only read is enough. */
async function readKnown(id: string, env: Environment, { root }: CommandContext): Promise<KnownCall | undefined> {
  const { url } = await findReadableDatabase(root, env);
  const store = openReconcileReader({ databaseUrl: url });
  try {
    return (await store.known([id])).get(id);
  } catch (cause) {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await store.close();
  }
}

/** Of an erased conversation nothing is here, whatever its row and the ledger still tell of what was. */
function hereDocument(conversation: string, known: KnownCall | undefined): object {
  if (known?.isErased === true) return { conversation, completeness: 'erased', transcript: false, recording: false };
  const { completeness = null, hasAccount = false, hasRecording = false } = known ?? {};
  return { conversation, completeness, transcript: hasAccount, recording: hasRecording };
}

function describeHere(known: KnownCall | undefined): string {
  if (known === undefined) return NOTHING;
  const { completeness, hasAccount, hasRecording, saysAudio, isErased } = known;
  if (isErased) return ERASED;
  return [
    `completeness  ${completeness ?? 'not compared with ElevenLabs yet'}`,
    `transcript    ${hasAccount ? 'here' : 'not here'}`,
    `recording     ${hasRecording ? 'here' : saysAudio === false ? 'the call has none' : 'not here'}`,
  ].join('\n');
}

function documentText(document: object): string {
  return escapeControls(JSON.stringify(document, undefined, 2));
}
