import { setTimeout as sleep } from 'node:timers/promises';
import { test, vi } from 'vitest';
import { message, openWork, type Work } from './support/work.ts';

/** Makes Postgres fail with this SQLSTATE wherever the conversation `poison` is written; with the table of all, on any event. */
async function refuse(work: Work, code: string, table: 'conversations' | 'webhook_events'): Promise<void> {
  const when = table === 'conversations' ? `WHEN (NEW.id = 'poison')` : '';
  await work.admin(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       RAISE EXCEPTION 'invalid memory alloc request size' USING ERRCODE = '${code}'; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW ${when} EXECUTE FUNCTION refuse()`,
  );
}

/** Events of others get through as long as `work` is under way. */
async function amongOthers<T>(work: Work, busy: Promise<T>): Promise<T> {
  const over = new AbortController();
  const done = busy.finally(() => over.abort());
  done.catch(() => undefined);
  for (let i = 0; !over.signal.aborted; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await Promise.race([work.process([message('other', `text ${i}`)]), done.catch(() => undefined)]);
    // oxlint-disable-next-line no-await-in-loop -- the others are no flood
    await sleep(20);
  }
  return done;
}

// Both wait for as long as the worker does: they wait together.
const beside = { concurrent: true };

test(
  'an event that alone is answered XX000 does not wait for ever: its neighbours are applied, it becomes a dead letter',
  beside,
  async ({ onTestFinished, expect }) => {
    const work = await openWork({ onFinished: onTestFinished });
    await refuse(work, 'XX000', 'conversations');
    const events = [message('a'), message('poison'), message('b')];
    await expect(amongOthers(work, work.process(events))).rejects.toMatchObject({ faultClass: 'corruption' });
    expect(await work.store.query(`SELECT id FROM conversations WHERE id <> 'other'`)).toEqual([]);

    await expect(amongOthers(work, work.process(events, { attempt: 2 }))).rejects.toMatchObject({ code: 'XX000' });
    expect(await work.store.query(`SELECT id FROM conversations WHERE id <> 'other' ORDER BY id`)).toEqual([
      { id: 'a' },
      { id: 'b' },
    ]);

    await amongOthers(work, work.process(events, { attempt: 8, lastAttempt: true }));
    expect(
      await work.store.query(`SELECT error ->> 'code' AS code FROM webhook_events WHERE outcome = 'dead'`),
    ).toEqual([{ code: 'XX000' }]);
    expect(await work.queues.deadLetters.getJobCountByTypes('waiting')).toBe(1);
  },
);

test(
  'where nobody gets through it is real: the job waits, however often, and spends no attempt',
  beside,
  async ({ onTestFinished, expect }) => {
    const work = await openWork({ onFinished: onTestFinished });
    await refuse(work, 'XX001', 'webhook_events');
    const [first, second] = [work.process([message('a')]), work.process([message('b')])];
    const pauses = () => work.messages().filter((text) => text === 'The database answers; going on').length;
    await vi.waitUntil(() => pauses() > 7, { timeout: 50_000 });
    await work.admin('DROP TRIGGER refuse ON webhook_events');
    await Promise.all([first, second]);
    expect(await work.store.query('SELECT id FROM conversations ORDER BY id')).toEqual([{ id: 'a' }, { id: 'b' }]);
  },
);
