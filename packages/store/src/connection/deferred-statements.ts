import { randomBytes } from 'node:crypto';
import type { Transaction } from '@prisma/driver-adapter-utils';
import type { Parameter } from './statement.ts';

/** A statement that waits for the commit. Its parameters are texts: bytes would have to be printed. */
export interface DeferredStatement {
  sql: string;
  parameters: readonly string[];
}

/** Parameters of so many characters together are sent at once: Postgres would have to read them out of the statement's text. */
const MAX_LENGTH = 1024 * 1024;

/** Returns a statement's parameters where it can wait for the commit; undefined where it must be sent at once. */
export function deferrable(parameters: readonly Parameter[]): readonly string[] | undefined {
  const texts = parameters.filter((parameter) => typeof parameter === 'string');
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  return texts.length === parameters.length && length <= MAX_LENGTH ? texts : undefined;
}

/**
 * Makes a transaction send its deferred statements together with its COMMIT, in one message of the simple protocol. So the locks that these
 * statements take are held while Postgres works, and not while this process does something else.
 *
 * @returns  Where to put the statements, in the order in which they are to run.
 */
export function deferUntilCommit(transaction: Transaction): DeferredStatement[] {
  const deferred: DeferredStatement[] = [];
  const execute = transaction.executeRaw.bind(transaction);
  const commit = transaction.commit.bind(transaction);
  transaction.commit = async () => {
    // Prisma sends the COMMIT by `executeRaw` first. If it ever does not, rows would be missing in silence.
    if (deferred.length > 0) throw new Error('A transaction is committed before its last statements are sent.');
    await commit();
  };
  transaction.executeRaw = async (query) => {
    if (query.sql !== 'COMMIT' || deferred.length === 0) return execute(query);
    const statements = deferred.splice(0).map(printed);
    const message = { ...query, sql: `${statements.join(';\n')};\nCOMMIT` };
    try {
      const answer = execute(message);
      // The driver has the text now. Prisma's log for debugging would keep it for a hundred statements.
      message.sql = '';
      return await answer;
    } catch (error) {
      // Postgres skipped the COMMIT. After a COMMIT that failed, Prisma gives the connection back without a ROLLBACK.
      await execute({ ...query, sql: 'ROLLBACK' }).catch(() => undefined);
      throw error;
    }
  };
  return deferred;
}

/** A statement with its parameters in it. */
function printed({ sql, parameters }: DeferredStatement): string {
  return sql.replaceAll(/\$(\d+)/g, (_, place: string) => literal(parameters[Number(place) - 1] ?? ''));
}

/**
 * A text as Postgres reads it, between two tags. Nothing in it is escaped: most of these texts are JSON in arrays, where each quotation mark has
 * a backslash already.
 */
function literal(text: string): string {
  let tag = (latestTag ??= newTag());
  // A text that ends with the beginning of the tag would end too early.
  while (text.includes(tag) || text.endsWith(tag.slice(0, -1))) tag = latestTag = newTag();
  return `${tag}${text}${tag}`;
}

let latestTag: string | undefined;

/** Nobody can guess it: a text full of tags would be searched again for each of them. */
function newTag(): string {
  return `$t${randomBytes(8).toString('hex')}$`;
}
