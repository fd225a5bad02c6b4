import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inject, onTestFinished, vi } from 'vitest';
import { startApp, type AppProcess } from './app-process.ts';
import { countEffects } from './count-effects.ts';
import { createDatabase } from './database.ts';
import type { DescribedEvent } from './described-event.ts';
import { firstOfLoad } from './load-events.ts';
import { post, SECRET } from './post.ts';
import { runSql } from './run-sql.ts';
import { makeTempFolder } from './temp-folder.ts';
import { doubledAmong, wrongRows } from './wrong-rows.ts';

const SENDERS = 8;
/** The time between two events of one sender, in ms: a steady load, below what the machine can do. */
const REST_MS = 20;
const EVENTS = 20_000;

/** A receiver with a journal and a worker, and senders that never rest. All ends with the test. */
export interface LineUnderLoad {
  /** Resolves when each sender has sent some more events. */
  untilMore: () => Promise<void>;
  /** Replaces receiver and worker by processes with other variables, as a rolling restart does: the new ones come first. */
  replace: (env: Readonly<Record<string, string>>) => Promise<void>;
  /** Kills the worker, and starts another. */
  killWorker: () => Promise<void>;
  /** Ends the load, and waits until everything is applied. */
  end: () => Promise<Outcome>;
}

/** What came of the load. */
export interface Outcome {
  /** How many events were answered otherwise than 200, by status or error. */
  refused: Record<string, number>;
  /** How many events the ledger recorded less often than once each. */
  lost: number;
  doubled: unknown[];
  wrong: string[];
}

/** The outcome when every event was answered 200, and is in the tables once and right. */
export const NOTHING_LOST: Outcome = { refused: {}, lost: 0, doubled: [], wrong: [] };

/**
 * Starts it.
 *
 * @param env    For both apps.
 * @param reach  Returns the URL by which the worker reaches its database, such as one behind a pooler.
 */
export async function startLineUnderLoad(
  env: Readonly<Record<string, string>>,
  reach?: (directUrl: string) => Promise<string>,
): Promise<LineUnderLoad> {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  const sql = (statement: string) => runSql(database.directUrl, statement);
  await countEffects(sql);
  const databaseUrl = reach === undefined ? database.url : await reach(database.directUrl);
  const dir = join(await makeTempFolder(), 'journal');
  const startWorker = async (variables: Readonly<Record<string, string>>) => {
    const worker = await startApp('worker', { env: { DATABASE_URL: databaseUrl, ...variables } });
    onTestFinished(async () => void (await worker.stop()));
    return worker;
  };
  const start = async (variables: Readonly<Record<string, string>>) => {
    const [receiver, worker] = await Promise.all([
      startApp('receiver', { env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, JOURNAL_DIR: dir, ...variables } }),
      startWorker(variables),
    ]);
    onTestFinished(async () => void (await receiver.stop()));
    return { receiver, worker, variables };
  };
  let apps = await start(env);
  const load = startLoad(() => apps.receiver);
  onTestFinished(() => load.stop());
  return {
    untilMore: () => load.untilMore(),
    async replace(variables) {
      const old = apps;
      apps = await start(variables);
      // A balancer takes the old receiver away before it leaves, and what was sent to it by then has its answer.
      await load.untilAnswered();
      await Promise.all([old.receiver.stop(), old.worker.stop()]);
    },
    async killWorker() {
      apps.worker.kill('SIGKILL');
      await apps.worker.exited;
      apps.worker = await startWorker(apps.variables);
    },
    async end() {
      await load.stop();
      const { sent, answers } = load;
      const recorded = async () =>
        Number((await sql(`SELECT count(*) FROM effects WHERE in_table = 'webhook_events'`))[0]?.['count']);
      const accepted = answers.get(200) ?? 0;
      await vi.waitUntil(async () => (await recorded()) >= accepted, { timeout: 60_000, interval: 50 });
      return {
        refused: Object.fromEntries([...answers].filter(([status]) => status !== 200)),
        lost: sent.length - (await recorded()),
        doubled: await doubledAmong(sent, sql),
        wrong: (await wrongRows(sent, sql)).slice(0, 10),
      };
    },
  };
}

function startLoad(receiver: () => AppProcess) {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  process.stdout.write(`load: SEED=${seed}\n`);
  const events = firstOfLoad({ run: 'load', seed }, EVENTS);
  const sent: DescribedEvent[] = [];
  const answers = new Map<number | string, number>();
  const over = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  /** Those that are sent, and have no answer yet. */
  const underWay = new Set<Promise<unknown>>();

  async function sendInTurn(): Promise<void> {
    while (!over.signal.aborted) {
      const event = events[sent.length];
      if (event === undefined) return;
      sent.push(event);
      const answer = post(receiver().url, event.body, { agent }).then(({ status }) => status, String);
      underWay.add(answer);
      const status = await answer;
      underWay.delete(answer);
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await delay(REST_MS);
    }
  }

  const senders = Array.from({ length: SENDERS }, sendInTurn);
  return {
    sent,
    answers,
    async untilMore() {
      const before = sent.length;
      await vi.waitUntil(() => sent.length > before + 10 * SENDERS, { timeout: 60_000, interval: 20 });
    },
    untilAnswered: () => Promise.all(underWay),
    async stop() {
      over.abort();
      await Promise.all(senders);
      agent.destroy();
    },
  };
}
