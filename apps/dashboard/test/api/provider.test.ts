import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openConsole, type AConsole } from './support/a-console.ts';
import { apply, AT, transcript } from './support/filled.ts';

const RUN = '44444444-4444-4444-8444-444444444444';
const CHECK = {
  checkedAt: AT + 5_000,
  findings: [
    { code: 'key_good', level: 'fine', what: 'The key is good.' },
    { code: 'retries_unknown', level: 'note', what: 'Whether retries are on cannot be read.' },
    { code: 'webhook_auto_disabled', level: 'fault', what: 'The webhook is off.', todo: 'Switch it on.' },
    { code: 'usages_unseen', level: 'unseen', what: 'The key is none of an administrator.' },
  ],
  isWebhookUp: false,
  lastFailure: { code: 401, at: AT, answered: 'Landline answered no 401 then' },
  agents: [{ id: 'agent-1', name: 'موظف الاستقبال' }],
};

let console_: AConsole;
beforeAll(async () => {
  console_ = await openConsole();
  await apply(
    console_.store,
    ['conv-1', 'conv-2', 'conv-3'].map((id) => transcript(id)),
  );
});
afterAll(() => console_.close());

const ask = (url: string) => console_.ask(url);
const post = (url: string, payload: object) => console_.ask(url, { method: 'POST', payload });

/** The newest comparison that failed, as the page has it. */
const failure = async () => (await ask('/provider')).json().last_failure;

/** What was left to the workers. */
async function requests(): Promise<unknown[]> {
  const jobs = await Promise.all(console_.queues.shards().map(({ requests: queue }) => queue.getJobs('waiting')));
  return jobs.flat().map(({ data }) => data);
}

const minutesAfter = (minutes: number) => `to_timestamp(${AT / 1000 + minutes * 60})`;

const OTHERS = ['5', '6', '7'].map((digit) => RUN.replaceAll('4', digit));

const RUN_COLUMNS =
  '(id, window_from, window_to, started_at, finished_at, error, listed, complete, waiting, fetched, fetched_recordings, unfetchable)';

/** A run of so many minutes after `AT`, whose row has this end and this error. */
function run(id: string, minutes: number, end: string): string {
  const at = minutesAfter(minutes);
  return `('${id}', ${minutesAfter(minutes - 4320)}, ${at}, ${at}, ${end}, 12, 8, 2, 3, 1, 1)`;
}

/** So many seconds after `AT`, as the API writes it. */
const secondsAfter = (seconds: number) => new Date(AT + seconds * 1000).toISOString();

async function seed(): Promise<void> {
  const { sql } = console_;
  await sql(
    `UPDATE conversations SET completeness = CASE id WHEN 'conv-1' THEN 'missing' WHEN 'conv-2' THEN 'waiting' ELSE 'complete' END`,
  );
  const [refused = '', ended = '', running = ''] = OTHERS;
  await sql(`INSERT INTO reconciliations ${RUN_COLUMNS}
    VALUES ${run(RUN, 15, `to_timestamp(${AT / 1000 + 901}), NULL`)}, ${run(refused, 30, `to_timestamp(${AT / 1000 + 1801}), 'The API key is refused.'`)},
      ${run(ended, 45, 'NULL, NULL')}, ${run(running, 60, 'NULL, NULL')}`);
  // The first operation is kept no longer. One was cancelled when no worker had it, so nobody has ended its run.
  await sql(`INSERT INTO operations (id, kind, status) VALUES
    ('${refused}', 'x', 'failed'), ('${ended}', 'x', 'cancelled'), ('${running}', 'x', 'running')`);
  await sql(`INSERT INTO provider_checks (result) VALUES ('${JSON.stringify(CHECK)}')`);
}

describe('the provider’s side', () => {
  it('says what to do where nobody has looked', async () => {
    expect((await ask('/provider')).json()).toMatchObject({
      check: null,
      advice: expect.stringContaining('Set ELEVENLABS_API_KEY for the workers'),
      completeness: { open: 0, waiting: 0, missing: 0, unfetchable: 0 },
      runs: [],
      reconciled_at: null,
      is_reconciling: false,
    });
    const plan = (await post('/operations/plan', { kind: 'reconcile', filter: {} })).json();
    expect(plan.text).toContain('set ELEVENLABS_API_KEY for the workers first');
  });

  it('names the newest comparison that failed, and why, until one has ended well', async () => {
    const { sql } = console_;
    expect(await failure()).toBeNull();
    const [, refused = '', good = ''] = OTHERS;
    const failed = (minutes: number, kind: string, id: string) =>
      `('${id}', '${kind}', 'failed', 'It failed. Fetched 0 transcripts.', ${minutesAfter(minutes)})`;
    await sql(`INSERT INTO operations (id, kind, status, message, finished_at)
      VALUES ${failed(10, 'reconcile', RUN)}, ${failed(20, 'reconcile', refused)}, ${failed(30, 'fetch-conversation', good)}`);
    // No worker had a key for it, so there is no run.
    expect(await failure()).toEqual({
      id: refused,
      at: secondsAfter(1200),
      error: 'It failed. Fetched 0 transcripts.',
    });
    await sql(
      `INSERT INTO reconciliations ${RUN_COLUMNS} VALUES ${run(refused, 15, `${minutesAfter(20)}, 'The API key is refused.'`)}`,
    );
    expect(await failure()).toMatchObject({ id: refused, error: 'The API key is refused.' });
    await sql(`INSERT INTO reconciliations ${RUN_COLUMNS} VALUES ${run(good, 19, `${minutesAfter(21)}, NULL`)}`);
    expect(await failure()).toBeNull();
    await sql('DELETE FROM reconciliations; DELETE FROM operations');
  });

  it('is shown with the faults first, counts, and the newest runs', async () => {
    await seed();
    const counts = { listed: 12, complete: 8, waiting: 2, fetched: 3, fetched_recordings: 1, unfetchable: 1 };
    expect((await ask('/provider')).json()).toMatchObject({
      check: {
        checked_at: secondsAfter(5),
        is_webhook_up: false,
        last_failure: { at: secondsAfter(0), code: 401, answered: 'Landline answered no 401 then' },
        findings: [
          { code: 'webhook_auto_disabled', level: 'fault', what: 'The webhook is off.', todo: 'Switch it on.' },
          { code: 'usages_unseen' },
          { code: 'retries_unknown' },
          { code: 'key_good', todo: null },
        ],
        agents: CHECK.agents,
        agent_count: 1,
        has_more_agents: false,
      },
      advice: null,
      completeness: { open: 0, waiting: 1, missing: 1, unfetchable: 0 },
      runs: [
        { finished_at: null, operation_status: 'running' },
        { finished_at: null, operation_status: 'cancelled' },
        { started_at: secondsAfter(1800), error: 'The API key is refused.', operation_status: 'failed' },
        {
          id: RUN,
          window_from: secondsAfter(900 - 3 * 86_400),
          window_to: secondsAfter(900),
          finished_at: secondsAfter(901),
          error: null,
          operation_status: null,
          ...counts,
        },
      ],
      reconciled_at: secondsAfter(901),
      is_reconciling: false,
    });
    await console_.sql(`UPDATE provider_checks SET result = '{"findings": 1}'`);
    expect((await ask('/provider')).json()).toMatchObject({
      check: null,
      advice: expect.stringContaining('saved by another version'),
    });
  });

  it('is shown in part where it has very much', async () => {
    const many = Array.from({ length: 900 }, (_, i) => ({ id: `agent-${i}`, name: 'ا'.repeat(400) }));
    const findings = many.map(({ id, name }) => ({ code: id, level: 'note', what: name.repeat(3) }));
    findings.push({ code: 'agents_more', level: 'unseen', what: 'The key sees more than 900 agents.' });
    const large = JSON.stringify({ ...CHECK, findings: [...CHECK.findings, ...findings], agents: many });
    await console_.sql(`UPDATE provider_checks SET result = '${large}'`);
    const answer = await ask('/provider');
    expect(Buffer.byteLength(answer.body)).toBeLessThan(300_000);
    const { findings: shown, agent_count: agents, has_more_agents: hasMore } = answer.json().check;
    expect([shown[0].level, agents, hasMore]).toEqual(['fault', 900, true]);
  });

  it('tells that a comparison waits or runs', async () => {
    const { id } = await console_.store.operations.request({ kind: 'reconcile', filter: {} });
    expect((await ask('/provider')).json().is_reconciling).toBe(true);
    await console_.sql(`UPDATE operations SET status = 'done', finished_at = now() WHERE id = '${id}'`);
    expect((await ask('/provider')).json().is_reconciling).toBe(false);
  });
});

describe('what never came', () => {
  beforeEach(async () => {
    for (const shard of console_.queues.shards()) await shard.requests.drain();
  });

  it('is fetched by a comparison, whose time is absolute once it is planned', async () => {
    const usual = (await post('/operations/plan', { kind: 'reconcile' })).json();
    expect(usual).toMatchObject({ kind: 'reconcile', total: 2, is_whole: false, filter: {} });
    expect([usual.text, usual.parts]).toEqual([
      expect.stringMatching(/the last comparison left unfinished would be compared as well: 1 missing, 1 waiting\.$/),
      [],
    ]);
    expect(usual.text).not.toContain('ELEVENLABS_API_KEY');
    const week = (await post('/operations/plan', { kind: 'reconcile', filter: { since: '2026-01-01' } })).json();
    expect(week.filter).toEqual({ since: '2026-01-01T00:00:00.000Z' });
    expect(week.text).toContain('began since 2026-01-01T00:00:00.000Z');
    const started = await post('/operations', { kind: 'reconcile', filter: week.filter });
    expect(started.statusCode).toBe(202);
    expect(await requests()).toEqual([
      {
        v: 1,
        request: { do: 'start', id: started.json().id, kind: 'reconcile', filter: week.filter, requestedBy: 'admin' },
      },
    ]);
  });

  it('is fetched of one conversation, but not of one that was erased', async () => {
    const body = { kind: 'fetch-conversation', conversation: 'conv-1' };
    const plan = (await post('/operations/plan', body)).json();
    expect(plan).toMatchObject({ total: 1, is_whole: true, filter: { conversation: 'conv-1' } });
    expect((await post('/operations', body)).statusCode).toBe(202);
    expect(await requests()).toMatchObject([
      { request: { kind: 'fetch-conversation', filter: { conversation: 'conv-1' } } },
    ]);
    await console_.sql(`UPDATE conversations SET erased_at = now() WHERE id = 'conv-3'`);
    for (const url of ['/operations/plan', '/operations']) {
      const erased = await post(url, { ...body, conversation: 'conv-3' });
      expect([erased.statusCode, erased.json().code]).toEqual([409, 'conversation_erased']);
    }
    expect(await requests()).toHaveLength(1);
    const none = await post('/operations/plan', { ...body, conversation: 'none' });
    expect([none.statusCode, none.json().text]).toEqual([
      200,
      expect.stringMatching(/^Nothing of this conversation is here\. ElevenLabs would be asked/),
    ]);
  });

  it.each([
    [{ kind: 'replay' }, 'filter'],
    [{ kind: 'reconcile', filter: { since: 'soon' } }, 'since takes a time'],
    [{ kind: 'reconcile', filter: { since: '9998-01-01' } }, 'since must be before now'],
    [{ kind: 'reconcile', filter: { until: '1h' } }, 'until'],
    [{ kind: 'fetch-conversation', conversation: '' }, 'conversation'],
    [{ kind: 'fetch-conversation', filter: {} }, 'conversation'],
  ])('is not fetched by what cannot be meant: %j', async (body, word) => {
    for (const url of ['/operations/plan', '/operations']) {
      const answer = await post(url, body);
      expect([answer.statusCode, answer.json().message]).toEqual([400, expect.stringContaining(word)]);
    }
    expect(await requests()).toEqual([]);
  });
});
