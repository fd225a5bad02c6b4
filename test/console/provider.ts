import { expect, it, onTestFinished } from 'vitest';
import { findInaccessible } from '../support/console-browser.ts';
import type { ConsoleLine } from '../support/console-line.ts';
import { operation, visit, SHOWN, type GetPlace } from './place.ts';
import { CALLS } from './scene.ts';

/** How runs ended, and what they counted: the last one ended with its worker, and its operation is kept no longer. */
const RUNS: Readonly<Record<string, string>> = {
  '44444444-4444-4444-8444-000000000001': `now() - interval '34 minutes', NULL, 12, 8, 2, 3, 1, 0`,
  '44444444-4444-4444-8444-000000000002': `now(), 'ElevenLabs does not take the API key.', 0, 0, 0, 0, 0, 0`,
  '44444444-4444-4444-8444-000000000003': 'NULL, NULL, 4, 0, 0, 0, 0, 0',
};

const COLUMNS = [
  'Started',
  'How it ended',
  'Calls since',
  'Listed',
  'Complete',
  'Waiting',
  'Transcripts fetched',
  'Audio fetched',
  'Unfetchable',
];

/** A screen, in pixels. */
const WIDE = { width: 1280, height: 800 };

/** A telephone, in pixels. */
const NARROW = { width: 400, height: 800 };

/** The one that failed. Its operation is kept. */
const FAILED = '44444444-4444-4444-8444-000000000002';

/** What a look at the provider's side may find. */
const CHECK = {
  checkedAt: Date.now(),
  findings: [
    { code: 'key_good', level: 'fine', what: 'The API key is good.' },
    { code: 'retries', level: 'note', what: 'Whether failed webhooks are repeated cannot be read.' },
    {
      code: 'webhook_auto_disabled',
      level: 'fault',
      what: 'ElevenLabs has switched the webhook “Landline” off.',
      todo: 'In ElevenLabs: Settings, Webhooks, Landline: switch it on.',
    },
  ],
  isWebhookUp: false,
  lastFailure: { code: 401, at: Date.now() - 60_000, answered: 'Landline answered 401 signature_mismatch then' },
  agents: [{ id: 'agent_front_desk', name: 'موظف الاستقبال' }],
};

/** A call that only ElevenLabs' list has told of. */
const LISTED = 'conv_01k_listed';

/** Writes what workers with an API key would have written. It is taken back afterwards: the other tests have a line without a key. */
async function seed({ sql }: ConsoleLine): Promise<void> {
  onTestFinished(async () => {
    await sql(`UPDATE conversations SET completeness = NULL, completeness_reason = NULL; DELETE FROM provider_checks;
      DELETE FROM conversations WHERE id = '${LISTED}';
      DELETE FROM operations WHERE kind IN ('reconcile', 'fetch-conversation');
      DELETE FROM reconciliations WHERE id IN ('${Object.keys(RUNS).join("', '")}')`);
  });
  const values = Object.entries(RUNS).map(
    ([id, ended], n) =>
      `('${id}', now() - interval '3 days', now(), now() - interval '${35 - 15 * n} minutes', ${ended})`,
  );
  await sql(`INSERT INTO reconciliations
      (id, window_from, window_to, started_at, finished_at, error, listed, complete, waiting, fetched, fetched_recordings, unfetchable)
      VALUES ${values.join(', ')};
    INSERT INTO operations (id, kind, status, message, created_at, finished_at)
      VALUES ('${FAILED}', 'reconcile', 'failed', 'x', now() - interval '20 minutes', now());
    INSERT INTO provider_checks (result) VALUES ('${JSON.stringify(CHECK)}');
    UPDATE conversations SET completeness = CASE id WHEN '${CALLS.long}' THEN 'missing' WHEN '${CALLS.script}' THEN 'unfetchable'
      ELSE 'complete' END, completeness_reason = CASE id WHEN '${CALLS.script}' THEN 'ElevenLabs answered 404.' END;
    INSERT INTO conversations (id, status, started_at, created_at, updated_at, completeness)
      VALUES ('${LISTED}', 'done', now(), now(), now(), 'unfetchable')`);
}

/** Ends the operation of a kind that goes on, as a worker with a key would. */
async function end(line: ConsoleLine, { kind, status, message }: Record<'kind' | 'status' | 'message', string>) {
  const isOpen = `kind = '${kind}' AND finished_at IS NULL`;
  await line.untilRows(`operations WHERE ${isOpen}`, 1);
  await line.sql(`UPDATE operations SET status = '${status}', message = '${message}', started_at = now(), finished_at = now()
    WHERE ${isOpen}`);
}

/** Registers the test of the provider's side of the line. */
export function providerTests(place: GetPlace): void {
  it('shows what is wrong at the provider and what never came, and has it fetched', async () => {
    const { line } = place();
    await seed(line);
    const { page } = await visit(place(), '/');
    await page.getByRole('link', { name: /has switched the webhook “Landline” off/ }).click(SHOWN);
    await page.getByRole('heading', { level: 1, name: 'ElevenLabs' }).waitFor(SHOWN);
    const findings = page.getByRole('list', { name: 'Findings' }).getByRole('listitem');
    expect(await findings.first().innerText()).toMatch(/^fault\s+ElevenLabs has switched .*\s+In ElevenLabs: Settings/);
    expect(await page.getByText('The API key is good.').isVisible()).toBe(false);
    expect(await page.getByRole('heading', { name: 'Webhook' }).innerText()).toContain('down');
    expect(await page.getByText('ElevenLabs saw').innerText()).toMatch(
      /saw 401\. Landline answered 401 signature_mismatch then\./,
    );
    const lastTry = page.locator('.last-try');
    expect(await lastTry.innerText()).toMatch(/^The last try failed .*: ElevenLabs does not take the API key\./);
    expect(await lastTry.getByRole('link').getAttribute('href')).toBe(`/operations?operation=${FAILED}`);
    await line.sql(`UPDATE provider_checks SET result = result || '{"isWebhookUp": true, "checkedAt": 1}'`);
    await page.getByRole('heading', { name: 'Webhook was up' }).waitFor(SHOWN);

    const counts = (row: RegExp) => page.getByRole('row', { name: row }).locator('td[data-name]').allInnerTexts();
    expect(await page.getByRole('columnheader').allInnerTexts()).toEqual(COLUMNS);
    expect((await counts(/ended well/)).slice(1)).toEqual(['12', '8', '2', '3', '1', '0']);
    expect((await counts(/does not take the API key/)).slice(1)).toEqual(Array<string>(6).fill('–'));
    expect((await counts(/ended without a result/)).slice(1)).toEqual(['4', '0', '0', '0', '0', '0']);
    await page.setViewportSize(NARROW);
    const isCut = `[...document.querySelectorAll('.runs, .runs td')].some((each) => each.scrollWidth > each.clientWidth)`;
    expect(await page.evaluate<boolean>(isCut)).toBe(false);
    expect(await findInaccessible(page)).toEqual([]);
    await page.setViewportSize(WIDE);
    const ended = page.getByRole('row', { name: /ended without a result/ });
    expect([await ended.count(), await ended.getByRole('link').count()]).toEqual([1, 0]);
    expect(await findInaccessible(page)).toEqual([]);

    await page.keyboard.press('r');
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/RECONCILE_WINDOW_HOURS/).waitFor(SHOWN);
    await dialog.getByRole('button', { name: '7 days' }).click();
    await dialog.getByText(/that began since/).waitFor(SHOWN);
    await dialog.getByRole('button', { name: 'Reconcile', exact: true }).click();
    await dialog.getByText('You can close this; it goes on.').waitFor(SHOWN);
    await end(line, { kind: 'reconcile', status: 'failed', message: 'ElevenLabs does not take the API key.' });
    await dialog.getByText('ElevenLabs does not take the API key.').waitFor(SHOWN);
    expect(await dialog.getByRole('status').innerText()).toMatch(/^Failed\s+It could not go on\./);
    await dialog.getByRole('link', { name: 'Open the operation' }).click(SHOWN);
    await operation(page).getByRole('heading', { name: 'Compare with ElevenLabs' }).waitFor(SHOWN);

    await page.goBack();
    await page.getByRole('link', { name: /^1 missing/ }).click(SHOWN);
    const rows = page.getByRole('listbox', { name: 'Conversations' }).getByRole('option');
    await expect.poll(() => rows.count(), SHOWN).toBe(1);
    expect(await rows.first().innerText()).toContain('missing');
    await rows.first().click();
    await page.getByText('something of it never came; the next comparison fetches it').waitFor(SHOWN);
    expect(await page.locator('.call-id').innerText()).toContain(`Conversations › ${CALLS.long}`);
    await page.setViewportSize(NARROW);
    await page.getByLabel('Conversation', { exact: true }).getByText('missing', { exact: true }).waitFor(SHOWN);
    await page.getByRole('button', { name: 'What is known of it' }).click();
    await page.getByText('Completeness', { exact: true }).waitFor(SHOWN);
    await page.setViewportSize(WIDE);
    await page.getByRole('button', { name: 'Fetch again…' }).click();
    await dialog.getByText(/asked for the account of this call once more/).waitFor(SHOWN);
    await dialog.getByRole('button', { name: 'Fetch again', exact: true }).click();
    await end(line, { kind: 'fetch-conversation', status: 'done', message: 'The conversation was fetched.' });
    await dialog.getByText('The conversation was fetched.').waitFor(SHOWN);
    expect(await line.sql(`SELECT filter FROM operations WHERE kind = 'fetch-conversation'`)).toEqual([
      { filter: { conversation: CALLS.long } },
    ]);
    await page.goto(`${line.dashboard}/conversations/${LISTED}`);
    await page.getByText('none ever came, or they were deleted since').waitFor(SHOWN);

    await page.goto(`${line.dashboard}/conversations/${CALLS.script}`);
    await page.getByText('something of it never came: ElevenLabs answered 404.').waitFor(SHOWN);
  });
}
