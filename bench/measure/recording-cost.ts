import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { audioBody } from '../../apps/cli/src/example-audio.ts';
import { send } from '../../apps/cli/src/send.ts';
import { ROOT } from '../../test/support/root.ts';
import { runSql } from '../../test/support/run-sql.ts';
import type { BenchContext } from '../bench-context.ts';
import { WITH_JOURNAL } from '../contenders.ts';
import { SECRET } from '../load/signed-events.ts';
import { RECORDING_SECONDS } from '../unit-variants.ts';
import { onStage } from './stage.ts';

const ASK_MS = 50;
const LIMIT_MS = 120_000;

/** What a recording takes. */
export interface RecordingCost {
  /** CPU of the receiver, in microseconds: spool, hash, decode, store. */
  receiverUs: number;
  bytes: { body: number; 'stored audio': number };
}

/** Sends recordings to a receiver that stores them in a folder, and computes what each takes. @throws When not all are stored. */
export async function recordingCost(bench: BenchContext): Promise<RecordingCost> {
  const count = bench.plan.unitCost.recordings;
  const folder = join(ROOT, '.data', 'bench', 'recordings', randomBytes(4).toString('hex'));
  let url = '';
  const receiver: typeof WITH_JOURNAL.receiver = (place, port) => {
    const { script, env } = WITH_JOURNAL.receiver(place, port);
    url = `http://127.0.0.1:${port}/api/elevenlabs/webhook`;
    const storage = { SPOOL_DIR: join(folder, 'spool'), RECORDINGS_URL: `file:${join(folder, 'stored')}` };
    return { script, env: { ...env, ...storage } };
  };
  return onStage(bench, { contender: { ...WITH_JOURNAL, receiver } }, async ({ place, receivers, startWorkers }) => {
    await startWorkers(1);
    const sendRecordings = async (recordings: number, stored: number): Promise<number> => {
      const args = ['post_call_audio', '--seconds', `${RECORDING_SECONDS}`, '--count', `${recordings}`, '--url', url];
      await send(args, { ELEVENLABS_WEBHOOK_SECRET: SECRET }, bench.log);
      return untilStored(place.databaseUrl, stored);
    };
    await sendRecordings(count, count);
    const read = (): number => receivers.reduce((sum, { usage }) => sum + usage().cpuSeconds, 0);
    const before = read();
    const bytes = await sendRecordings(count, 2 * count);
    return {
      receiverUs: ((read() - before) * 1e6) / count,
      bytes: { body: bodyBytes(), 'stored audio': bytes / (2 * count) },
    };
  });
}

/** Waits until so many recordings are stored. Returns their bytes together. */
async function untilStored(databaseUrl: string, recordings: number): Promise<number> {
  const deadline = performance.now() + LIMIT_MS;
  // oxlint-disable no-await-in-loop -- asking again and again is the point
  for (;;) {
    const [stored] = await runSql<{ count: number; bytes: number }>(
      databaseUrl,
      'SELECT count(*)::int AS count, sum(bytes)::float8 AS bytes FROM conversation_recordings WHERE url IS NOT NULL',
    );
    if (stored?.count === recordings) return stored.bytes;
    if (performance.now() > deadline) throw new Error(`Of ${recordings} recordings ${stored?.count ?? 0} were stored.`);
    await wait(ASK_MS);
  }
}

function bodyBytes(): number {
  return audioBody('bench', { sequence: 0, at: new Date(), seconds: RECORDING_SECONDS }).bytes;
}
