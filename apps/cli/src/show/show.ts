import { openRecordingStorage } from '@landline/operations';
import { readEvent, type StoredEvent } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findReadableDatabase } from '../find-database.ts';
import { recordingsUrl } from '../start/data-folders.ts';
import { readEnvFile } from '../start/env-file.ts';
import { escapeControls } from '../format-table.ts';
import { describeEvent, eventDocument } from './describe-event.ts';
import { writeBody } from './write-body.ts';

/** What `landline show` prints of an event: a description, or one of these. */
export interface ShowOptions {
  /** The exact bytes that were received. */
  body: boolean;
  /** One JSON document. */
  json: boolean;
}

/**
 * `landline show`: shows one event of the ledger.
 *
 * @param id  The ledger id, a uuid.
 * @returns   The exit code: 1 where the bytes of `--body` are not those of the event, else 0.
 * @throws    {CliError} `event_missing`, `query_failed`: the server's message, or `configuration_invalid`: there is no
 *            database; `arguments_invalid`: the bytes of `--body` would go to a terminal. {BodyMissingError} where there are no such bytes.
 */
export async function showEvent(id: string, { body, json }: ShowOptions, context: CommandContext): Promise<number> {
  if (body && context.isTerminal === true) throw new CliError('arguments_invalid', terminalFault(id));
  const event = await find(id, context);
  if (body) return showBody(event, context);
  context.print(json ? escapeControls(JSON.stringify(eventDocument(event), undefined, 2)) : describeEvent(event));
  return 0;
}

function terminalFault(id: string): string {
  return (
    'The bytes of a body can hold sequences that control a terminal, so they are not written to one. ' +
    `Write them to a file, or pipe them into a program: npm run --silent landline -- show ${id} --body > body.json`
  );
}

async function find(id: string, { root, env }: CommandContext): Promise<StoredEvent> {
  const { url } = await findReadableDatabase(root, await readEnvFile(root, env));
  const event = await readEvent(url, id).catch((cause: unknown) => {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  });
  if (event === undefined) throw new CliError('event_missing', `There is no event ${id} in the ledger.`);
  return event;
}

async function showBody(event: StoredEvent, context: CommandContext): Promise<number> {
  const { root, env, write, print, printError = print } = context;
  if (write === undefined) throw new TypeError('show --body needs an output for bytes.');
  const storage = openRecordingStorage((await readEnvFile(root, env))['RECORDINGS_URL'], recordingsUrl(root));
  const outcome = await writeBody(event, { storage, write }).finally(() => storage.close());
  if (outcome !== 'changed') return 0;
  printError(
    `These bytes are not those that were received: their SHA-256 does not begin with ${event.id.replaceAll('-', '')}, the event's id.`,
  );
  return 1;
}
