import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRoles } from '@landline/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp } from './support/app-process.ts';
import { startPrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

// `npm test` runs on few profiles for some seconds. INITIATION_LOAD=whole runs on a million, and prints the figures of CHANGELOG
// and DESIGN.
const isWhole = process.env['INITIATION_LOAD'] === 'whole';
const PROFILES = isWhole ? 1_000_000 : 10_000;
const SECONDS = isWhole ? 60 : 4;
const RATE = 200;
const TOKEN = 'the token of this load';

test(
  `${RATE} requests a second over ${PROFILES} profiles: each is answered, with what is known`,
  { timeout: 900_000 },
  async () => {
    const redis = await startPrivateRedis();
    onTestFinished(() => redis.remove());
    const postgres = await startPrivatePostgres();
    await fill(postgres.url);
    const password = 'of this load';
    const { reader } = await makeRoles({
      adminUrl: postgres.url,
      passwords: { owner: password, worker: password, reader: password },
    });
    const env = { REDIS_URL: redis.url, READER_DATABASE_URL: reader, INITIATION_TOKEN: TOKEN };
    const app = await startApp('initiation', { env });
    onTestFinished(async () => void (await app.stop()));
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    onTestFinished(() => agent.destroy());
    await vi.waitUntil(async () => (await ask(app.url, agent, 1)).isKnown, { timeout: 20_000, interval: 50 });

    const times: number[] = [];
    const answers: Promise<void>[] = [];
    let unknown = 0;
    const begun = performance.now();
    // An open loop: each request is sent at its time, also while earlier ones have no answer.
    for (let i = 0; i < RATE * SECONDS; i++) {
      const due = begun + (i * 1000) / RATE;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if (due > performance.now()) await sleep(due - performance.now());
      const one = async (): Promise<void> => {
        const { isKnown } = await ask(app.url, agent, 1 + Math.floor(Math.random() * PROFILES));
        times.push(performance.now() - due);
        unknown += Number(!isKnown);
      };
      answers.push(one());
    }
    await Promise.all(answers);
    times.sort((a, b) => a - b);
    const at = (share: number) => `${(times[Math.floor(times.length * share)] ?? 0).toFixed(1)} ms`;
    process.stdout.write(
      `${times.length} answers at ${RATE}/s over ${PROFILES} profiles: p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, longest ${at(0.999999)}; unknown ${unknown}\n`,
    );
    expect(times).toHaveLength(RATE * SECONDS);
    // On a busy machine some answers are late, and have the defaults.
    expect(unknown).toBeLessThan(times.length);
  },
);

/** Inserts a profile for each number, every third with a user id, and two calls for each, the later one with a summary. */
async function fill(url: string): Promise<void> {
  await runSql(
    url,
    `INSERT INTO user_profiles (user_id, language, dialect, dialects, personality, phone_number, attributes, first_seen_at, last_seen_at)
     SELECT CASE WHEN i % 3 = 0 THEN 'user_' || i ELSE '+1' || (2000000000 + i) END, 'ar', 'eg', '{"ar": "eg"}',
       '{"tone": "warm", "pace": "slow"}', '+1' || (2000000000 + i), '{"first_name": "Layla", "tier": "gold"}', now(), now()
     FROM generate_series(1, ${PROFILES}) i`,
  );
  await runSql(
    url,
    `INSERT INTO conversations (id, external_number, user_id, status, started_at, created_at, updated_at, summary, metadata)
     SELECT 'conv_' || i, '+1' || (2000000000 + i % ${PROFILES}), CASE WHEN i % ${PROFILES} % 3 = 0 THEN 'user_' || i % ${PROFILES} END, 'done',
       now() - i * interval '1 second', now(), now(), CASE WHEN i <= ${PROFILES} THEN 'The caller asked for the opening hours.' END,
       '{"timezone": "Africa/Cairo", "cost": 296, "main_language": "en"}'
     FROM generate_series(1, ${PROFILES * 2}) i`,
  );
  await runSql(url, 'VACUUM ANALYZE user_profiles');
  await runSql(url, 'VACUUM ANALYZE conversations');
}

function ask(origin: string, agent: Agent, i: number): Promise<{ isKnown: boolean }> {
  const body = JSON.stringify({
    caller_id: `+1${2_000_000_000 + i}`,
    agent_id: 'agent_1',
    call_sid: `CA_${i}`,
    conversation_id: `ring_${i}`,
  });
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'x-landline-token': TOKEN,
      'content-length': Buffer.byteLength(body),
    };
    const outgoing = request(`${origin}/api/elevenlabs/conversation-initiation`, { method: 'POST', agent, headers });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () =>
        resolve({ isKnown: response.statusCode === 200 && text.includes('"caller_known":true') }),
      );
    });
    outgoing.end(body);
  });
}
