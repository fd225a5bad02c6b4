import { makeRoles, readQuery } from '@landline/store';
import { expect, onTestFinished, test } from 'vitest';
import { startApp, type AppProcess } from './support/app-process.ts';
import { startPipe, type Pipe } from './support/pipe.ts';
import { post } from './support/post.ts';
import { runSql } from './support/run-sql.ts';

const TOKEN = 'the token of this story';
const CALLER = '+201005550101';
const AGENT = { agent_id: 'agent_1', called_number: '+12025550100' };
const DEFAULTS = { caller_dialect: 'us', first_name: 'friend', discount: 0 };

/** How long a poll goes on: on a busy machine an answer may be late and have the defaults, and the test asks again. */
const LONG_WAIT = { timeout: 20_000, interval: 250 };

/** Starts a pipe with a worker and an initiation, which logs in as the role that only reads. */
async function startStory(): Promise<{ pipe: Pipe; initiation: AppProcess; readerUrl: string }> {
  const pipe = await startPipe();
  onTestFinished(() => pipe.stop());
  await pipe.startWorker();
  const prefix = `story_${process.pid}`;
  const { reader: readerUrl } = await makeRoles({
    adminUrl: pipe.databaseUrl,
    passwords: { owner: 'of this test', worker: 'of this test', reader: 'of this test' },
    prefix,
  });
  const initiation = await startApp('initiation', {
    env: {
      REDIS_URL: pipe.redis.url,
      READER_DATABASE_URL: readerUrl,
      INITIATION_TOKEN: TOKEN,
      INITIATION_DEFAULTS: JSON.stringify(DEFAULTS),
    },
  });
  onTestFinished(async () => void (await initiation.stop()));
  return { pipe, initiation, readerUrl };
}

/** Asks who is calling, as ElevenLabs does while the telephone rings. */
async function ring({ url }: AppProcess, conversation_id: string, call_sid: string): Promise<unknown> {
  const answer = await fetch(`${url}/api/elevenlabs/conversation-initiation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-landline-token': TOKEN },
    body: JSON.stringify({ caller_id: CALLER, ...AGENT, call_sid, conversation_id }),
  });
  expect(answer.status).toBe(200);
  return answer.json();
}

/** Makes the events that a bridge and then ElevenLabs send about the first call. No live event names the caller. */
function eventsOf(conversation_id: string, begun: number): object[] {
  const live = (type: string, second: number, data: object) => ({
    type,
    event_id: `${type} ${second}`,
    timestamp: new Date(begun + second * 1000).toISOString(),
    data: { conversation_id, ...data },
  });
  return [
    live('conversation.message', 2, { role: 'user', message: 'عايز أحجز ترابيزة', language: 'ar-EG' }),
    live('agent.action', 5, {
      action_id: 'save_1',
      action: 'save_command',
      parameters: { phrase: 'ترابيزتي المعتادة', means: 'table 7 at eight' },
      status: 'saved',
      personality: { tone: 'warm', pace: 'slow' },
      user_profile: { first_name: 'Layla', tier: 'gold' },
    }),
    live('conversation.message', 8, { role: 'agent', message: 'تمام', user_profile: { tier: 'platinum', table: 7 } }),
    live('conversation.ended', 30, {
      reason: 'user_hangup',
      duration_seconds: 30,
      summary: 'Layla asked for her usual table.',
    }),
    {
      type: 'post_call_transcription',
      event_timestamp: Math.floor(begun / 1000) + 60,
      data: {
        conversation_id,
        agent_id: AGENT.agent_id,
        status: 'done',
        transcript: [
          { role: 'user', message: 'عايز أحجز ترابيزة', time_in_call_secs: 2 },
          { role: 'agent', message: 'تمام', time_in_call_secs: 8 },
        ],
        metadata: {
          start_time_unix_secs: Math.floor(begun / 1000),
          call_duration_secs: 30,
          main_language: 'en',
          phone_call: {
            direction: 'inbound',
            agent_number: AGENT.called_number,
            external_number: CALLER,
            call_sid: 'CA_1',
          },
        },
        analysis: { call_successful: 'success', transcript_summary: 'Booked table 7 for eight o’clock.' },
      },
    },
  ];
}

test('a first call in Egyptian Arabic with a saved command and a personality: the second call knows all of it', async () => {
  const { pipe, initiation, readerUrl } = await startStory();
  const applied = async () => (await pipe.sql(`SELECT 1 FROM webhook_events WHERE outcome = 'applied'`)).length;
  const ready = async () => (await fetch(`${initiation.url}/health/ready`)).json();
  await expect.poll(ready, { timeout: 20_000 }).toEqual({ status: 'ready', database: 'up' });

  // The first call rings, from an unknown caller.
  expect(await ring(initiation, 'conv_1', 'CA_1')).toEqual({
    type: 'conversation_initiation_client_data',
    dynamic_variables: {
      caller_known: false,
      caller_language: '',
      caller_dialect: 'us',
      caller_personality: '',
      caller_calls: 0,
      caller_last_summary: '',
      caller_last_call_at: '',
      first_name: 'friend',
      discount: 0,
    },
  });
  // On a busy machine Redis may not have taken the event yet; a repeated request makes the same event.
  const started = async () => {
    await ring(initiation, 'conv_1', 'CA_1');
    return applied();
  };
  await expect.poll(started, LONG_WAIT).toBe(1);
  const begun = Date.now();
  for (const event of eventsOf('conv_1', begun)) {
    // oxlint-disable-next-line no-await-in-loop -- as a bridge sends them
    expect(await post(pipe.receiver.url, JSON.stringify(event))).toMatchObject({ status: 200 });
  }
  await expect.poll(applied, { timeout: 20_000, interval: 50 }).toBe(6);
  expect(await pipe.untilIdle()).toEqual({ events: 0, unsettled: 0, dead: 0 });

  // The rows as `landline sql` shows them.
  expect(
    await readQuery(
      readerUrl,
      'SELECT conversation_id, action_id, command, parameters, status, details FROM user_commands',
    ),
  ).toEqual([
    {
      conversation_id: 'conv_1',
      action_id: 'save_1',
      command: 'save_command',
      parameters: { phrase: 'ترابيزتي المعتادة', means: 'table 7 at eight' },
      status: 'saved',
      details: null,
    },
  ]);
  expect(
    await readQuery(
      readerUrl,
      `SELECT language, dialect, external_number, agent_number, call_sid, direction, status, summary,
        metadata -> 'personality' AS personality, metadata ->> 'user_profile.tier' AS tier FROM conversations`,
    ),
  ).toEqual([
    {
      language: 'ar',
      dialect: 'eg',
      external_number: CALLER,
      agent_number: AGENT.called_number,
      call_sid: 'CA_1',
      direction: 'inbound',
      status: 'done',
      summary: 'Booked table 7 for eight o’clock.',
      personality: { tone: 'warm', pace: 'slow' },
      tier: 'platinum',
    },
  ]);

  // The second call, and a repeat of its request once its own conversation.started has been applied.
  const second = {
    type: 'conversation_initiation_client_data',
    dynamic_variables: {
      caller_known: true,
      caller_language: 'ar',
      caller_dialect: 'eg',
      // jsonb sorts keys by length, then by bytes.
      caller_personality: 'pace: slow; tone: warm',
      caller_calls: 1,
      caller_last_summary: 'Booked table 7 for eight o’clock.',
      caller_last_call_at: new Date(Math.floor(begun / 1000) * 1000).toISOString(),
      first_name: 'Layla',
      tier: 'platinum',
      table: 7,
      discount: 0,
    },
  };
  await expect.poll(() => ring(initiation, 'conv_2', 'CA_2'), LONG_WAIT).toEqual(second);
  const again = async () => {
    await ring(initiation, 'conv_2', 'CA_2');
    return applied();
  };
  await expect.poll(again, LONG_WAIT).toBe(7);
  await expect.poll(() => ring(initiation, 'conv_2', 'CA_2'), LONG_WAIT).toEqual(second);
  expect(await runSql(pipe.databaseUrl, `SELECT id FROM conversations ORDER BY id`)).toEqual([
    { id: 'conv_1' },
    { id: 'conv_2' },
  ]);
  // A call counts for the next call although no event but its start has come.
  await expect
    .poll(() => ring(initiation, 'conv_3', 'CA_3'), LONG_WAIT)
    .toMatchObject({
      dynamic_variables: {
        caller_calls: 2,
        caller_last_summary: 'Booked table 7 for eight o’clock.',
        caller_language: 'ar',
      },
    });
  expect(initiation.output()).not.toMatch(/2010055|Layla|table|ar-EG|warm/);
});
