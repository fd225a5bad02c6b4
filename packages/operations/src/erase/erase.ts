import type { Person, Subject } from '@landline/store';
import { counted } from '../counted.ts';
import { z } from 'zod';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import { removeRecordings } from '../recordings/remove-recordings.ts';
import { describeErasure } from './counts.ts';
import type { ErasePorts } from './erase-ports.ts';
import { ERASE, readErasureWords, type ErasureRequest } from './erasure-filter.ts';
import { forgetRequests } from './forget-requests.ts';
import { forgetInRedis, forgetRefused, forgetUnapplied, type Search } from './look-for-person.ts';
import { namesPerson } from './names-person.ts';

/** Conversations that are forgotten in one transaction. */
const BATCH = 20;

/** A journal closes a file after this time, and only a closed file ages, in ms; with a minute for the clock that looks. */
const JOURNAL_FILE_MS = 16 * 60_000;

const HOUR_MS = 3_600_000;
const ALL = { transcript: true, audio: true } as const;

const checkpointSchema = z.object({
  person: z
    .object({ conversations: z.array(z.string()), users: z.array(z.string()), numbers: z.array(z.string()) })
    .optional(),
});

/**
 * Makes the kind of operations that forgets a call or a person, everywhere. First the calls get their mark, which keeps whatever comes later from bringing them
 * back; then it looks for what names the person without being theirs by a row.
 *
 * Each step can be repeated, so a worker that takes over begins anew and finds less. What tells the person is in the checkpoint, because the rows that told
 * it are empty by then. Both, and the subject, go from the operation's row when it ends.
 */
export function eraseKind(ports: ErasePorts): OperationKind {
  return { kind: ERASE, run: (context) => runErase(context, ports) };
}

async function runErase(context: OperationContext, ports: ErasePorts): Promise<void> {
  const request = readErasureWords(context.operation.filter);
  const { store } = ports;
  const { id } = context.operation;
  await context.retry(() => store.erasing.begin({ id, by: request.subject.by, hash: request.hash }));
  const isPerson = request.subject.by !== 'conversation';
  if (isPerson) await clearListed(context, ports);
  const person = await findPerson(request.subject, context, ports);
  const search = makeSearch(person, context, ports);
  const { createdAt } = context.operation;
  await forgetCallsOf(request.subject, search, createdAt);
  if (isPerson) await context.retry(() => store.erasing.forgetProfiles(id, person));
  await forgetUnapplied(search);
  await forgetRefused(search);
  await forgetInRedis(search);
  // What was on its way when this began may have been applied, or have come to rest, meanwhile.
  await forgetUnapplied(search);
  await forgetRefused(search);
  await forgetCallsOf(request.subject, search, createdAt);
  if (isPerson) await context.retry(() => store.erasing.forgetProfiles(id, person, { isLate: true }));
  await forgetInKeptTables(search);
  const clearFilters = () => context.retry(() => store.erasing.clearFilters(id, person, request.hash));
  await forgetRequests(search);
  await clearFilters();
  await removeFiles(search);
  // A request that came meanwhile, or changed its state while somebody looked.
  await forgetRequests(search);
  await clearFilters();
  await finish(request, search);
}

/** Of calls that never came nobody knows whose they are: they may be the person's. */
async function clearListed({ operation: { id }, retry }: OperationContext, { store }: ErasePorts): Promise<void> {
  let after: string | undefined = '';
  while (after !== undefined) {
    const last: string = after;
    // oxlint-disable-next-line no-await-in-loop -- some after the others
    after = await retry(() => store.erasing.clearListed(id, last));
  }
}

/** Finds what tells the person, and writes it down before a row loses it. */
async function findPerson(subject: Subject, context: OperationContext, { store }: ErasePorts): Promise<Person> {
  const known = checkpointSchema.parse(context.operation.checkpoint ?? {});
  const person = known.person ?? (await context.retry(() => store.erasing.personOf(subject)));
  context.report({ checkpoint: { person: { ...person } } });
  await context.written();
  return person;
}

function makeSearch(person: Person, context: OperationContext, ports: ErasePorts): Search {
  const { id } = context.operation;
  return {
    context,
    ports,
    person,
    names: namesPerson(person),
    count: (more) => context.retry(() => ports.store.erasing.count(id, more)),
    async forgetCalls(ids) {
      for (let at = 0; at < ids.length; at += BATCH) {
        const batch = ids.slice(at, at + BATCH);
        // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
        const { counts } = await context.retry(() => ports.store.forgetConversations(batch, { ...ALL, erasure: id }));
        context.report({ done: context.progress().done + counts.conversations });
      }
    },
  };
}

/** @param before  Only calls that began before this time, in unix ms: a later call of the same person is a new call. */
async function forgetCallsOf(subject: Subject, { context, ports, forgetCalls }: Search, before: number): Promise<void> {
  if (subject.by === 'conversation') return forgetCalls([subject.value]);
  // oxlint-disable no-await-in-loop -- until there are none
  for (;;) {
    const ids = await context.retry(() => ports.store.erasing.conversationsOf(subject, { limit: BATCH, before }));
    if (ids.length === 0) return;
    await context.hold();
    await forgetCalls(ids);
  }
  // oxlint-enable no-await-in-loop
}

/** Once more for all of them: a rebuild may have swapped its tables in, or begun, since they were forgotten. */
async function forgetInKeptTables({ context, ports: { store } }: Search): Promise<void> {
  let after = '';
  // oxlint-disable no-await-in-loop -- page after page
  for (;;) {
    const page = { after, limit: BATCH };
    const ids = await context.retry(() => store.erasing.erasedSince(context.operation.createdAt, page));
    const last = ids.at(-1);
    if (last === undefined) return;
    after = last;
    await context.retry(() => store.erasing.forgetInKeptTables(context.operation.id, ids));
  }
  // oxlint-enable no-await-in-loop
}

async function removeFiles({ context, ports, count }: Search): Promise<void> {
  const { removed, failed, error } = await context.retry(() => removeRecordings(ports, context.signal));
  await count({ files: removed, files_left: failed });
  if (error !== undefined)
    context.report({
      message: `${counted(failed, 'file')} ${failed === 1 ? 'is' : 'are'} still there, and tried again: ${error}`,
    });
}

async function finish({ journalHours }: ErasureRequest, { context, ports: { store } }: Search): Promise<void> {
  const { id } = context.operation;
  const journalUntil = new Date(Date.now() + journalHours * HOUR_MS + JOURNAL_FILE_MS).toISOString();
  await context.retry(() => store.erasing.end(id, { journal_until: journalUntil }));
  const { counts = {} } = (await context.retry(() => store.erasing.get(id))) ?? {};
  const left = context.progress().message;
  const told = `Forgotten: ${describeErasure(counts)}. Journals have nothing of it from ${journalUntil} on.`;
  const done = Number(counts['conversations'] ?? 0);
  context.report({ checkpoint: null, done, total: done, message: left === null ? told : `${told} ${left}` });
}
