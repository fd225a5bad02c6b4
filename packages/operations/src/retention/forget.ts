import type { ConversationPosition, DueConversation } from '@landline/store';
import { inBatches, type Counted, type RetentionTask } from './retention-task.ts';

/** Conversations that are forgotten in one transaction, which holds their rows. */
const BATCH = 50;

const DAY_MS = 86_400_000;

/** Forgets what accounts of calls order to be deleted by now. */
export async function carryOutOrders(task: RetentionTask): Promise<void> {
  const { context, ports, cutoffs } = task;
  const { retention } = ports.store;
  await inBatches(context, async () => {
    const due = await retention.dueTranscripts(cutoffs.now, BATCH);
    await forget(due, 'transcripts', task);
    return due.length;
  });
  await inBatches(context, async () => {
    const ids = await retention.dueAudio(cutoffs.now, BATCH);
    await forgetSome(ids, { transcript: false, audio: true }, { task, what: 'audio' });
    return ids.length;
  });
}

/**
 * Forgets conversations that are too old. What is forgotten stays as a row, so the walk would pass all of these each hour: it begins where the run
 * before ended, and once a day at the first conversation, for one that came late.
 */
export async function forgetOldConversations(task: RetentionTask): Promise<void> {
  const { context, ports, cutoffs, before } = task;
  const { conversations } = cutoffs;
  if (conversations === null) return;
  let after: ConversationPosition = { startedAt: (before?.conversations ?? 0) - DAY_MS, id: '' };
  if (before?.conversations == null) after = { startedAt: 0, id: '' };
  await inBatches(context, async () => {
    const page = await ports.store.retention.oldConversations(conversations, { after, limit: BATCH });
    await forget(
      page.map(({ id }) => ({ id, withAudio: true })),
      'conversations',
      task,
    );
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

/** The letters of these events go after them: where Redis is away, the next run finds them by their age. */
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
