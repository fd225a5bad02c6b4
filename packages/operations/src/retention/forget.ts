import type { ConversationPage, DueConversation, WalkedConversation } from '@landline/store';
import { inBatches, type Counted, type RetentionTask } from './retention-task.ts';

/** Conversations that are forgotten in one transaction, which holds their rows. */
const BATCH = 50;

/** Conversations that a walk passes at once: most of them were forgotten before. */
const PAGE = 1_000;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Forgets what accounts of calls order to be deleted by now. */
export async function carryOutOrders(task: RetentionTask): Promise<void> {
  const { context, ports, cutoffs } = task;
  await inBatches(context, async () => {
    const due = await ports.store.retention.dueTranscripts(cutoffs.now, BATCH);
    await forget(due, 'transcripts', task);
    return due.length;
  });
  await deleteAudio(task);
}

/**
 * Deletes the audio that is ordered to be deleted by now. An order stays when it is carried out, for another audio of that call may come late: so the
 * walk passes all of them once a day, and else those of the last day, and the calls that were written since the run before.
 */
async function deleteAudio(task: RetentionTask): Promise<void> {
  const { context, ports, cutoffs, before } = task;
  const { retention } = ports.store;
  const what = { transcript: false, audio: true };
  await walk({ task, from: before?.now, next: (page) => retention.audioOrders(cutoffs.now, page) }, (ids) =>
    forgetSome(ids, what, { task, what: 'audio' }),
  );
  if (before === undefined) return;
  await inBatches(context, async () => {
    const ids = await retention.lateAudioOrders(cutoffs.now, before.now - HOUR_MS, BATCH);
    await forgetSome(ids, what, { task, what: 'audio' });
    return ids.length;
  });
}

/**
 * Forgets conversations that are too old. What is forgotten stays as a row, so the walk would pass all of these each hour: it begins a day before the place
 * where the run before ended, and once a day at the first conversation, for one that came late.
 */
export async function forgetOldConversations(task: RetentionTask): Promise<void> {
  const { ports, cutoffs, before } = task;
  const { conversations } = cutoffs;
  if (conversations === null) return;
  await walk(
    {
      task,
      from: before?.conversations ?? undefined,
      next: (page) => ports.store.retention.oldConversations(conversations, page),
    },
    (ids) =>
      forget(
        ids.map((id) => ({ id, withAudio: true })),
        'conversations',
        task,
      ),
  );
}

interface Walking {
  task: RetentionTask;
  /** Where the run before ended, in unix milliseconds; undefined: from the first one. */
  from: number | undefined;
  next: (page: ConversationPage) => Promise<WalkedConversation[]>;
}

/** Walks through conversations to the last one, and hands on those that are due. */
async function walk({ task, from, next }: Walking, carryOut: (ids: string[]) => Promise<void>): Promise<void> {
  let after = { at: from === undefined ? 0 : from - DAY_MS, id: '' };
  await inBatches(task.context, async () => {
    const page = await next({ after, limit: PAGE });
    const due = page.flatMap(({ id, isDue }) => (isDue ? [id] : []));
    for (let i = 0; i < due.length; i += BATCH) {
      // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
      await task.context.hold();
      // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
      await carryOut(due.slice(i, i + BATCH));
    }
    after = page.at(-1) ?? after;
    return page.length;
  });
}

async function forget(due: readonly DueConversation[], what: Counted, task: RetentionTask): Promise<void> {
  for (const audio of [false, true]) {
    const ids = due.filter(({ withAudio }) => withAudio === audio).map(({ id }) => id);
    // oxlint-disable-next-line no-await-in-loop -- two transactions at most
    await forgetSome(ids, { transcript: true, audio }, { task, what });
  }
}

interface Forgetting {
  task: RetentionTask;
  what: Counted;
}

/** The letters of these events go after them. Where the worker dies in between, the step that sweeps letters finds them: their events are dead no longer. */
async function forgetSome(
  ids: readonly string[],
  what: { transcript: boolean; audio: boolean },
  { task, what: counted }: Forgetting,
): Promise<void> {
  if (ids.length === 0) return;
  const { letters } = await task.ports.store.forgetConversations(ids, what);
  task.count(counted, ids.length);
  if (letters.length > 0) await task.context.retry(() => task.ports.letters.remove(letters));
}
