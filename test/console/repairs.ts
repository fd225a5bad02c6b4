import { expect, it, onTestFinished } from 'vitest';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { messageBody } from '../support/console-calls.ts';
import { unixSeconds } from '../support/post.ts';
import type { ConsoleLine } from '../support/console-line.ts';
import { operation, untilDone, visit, SHOWN, type GetPlace } from './place.ts';
import { CALLS } from './scene.ts';

const ofPoisoned = `conversation_id = '${CALLS.poisoned}'`;
const REFUSED = 'conv_01k_signed_otherwise';
const ofRefused = `position(convert_to('${REFUSED}', 'UTF8') IN body) > 0`;

const sent = (n: number) => messageBody(CALLS.poisoned, unixSeconds(), `poisoned ${n}`);

/** Confirms what a dialog plans, and waits until the operation that it started is done. */
async function confirm(page: Page, verb: RegExp): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: verb }).click(SHOWN);
  await dialog.getByRole('link', { name: 'Open the operation' }).click(SHOWN);
  await untilDone(page);
}

const failures = z.object({
  items: z.array(z.looseObject({ fingerprint: z.string(), example: z.looseObject({ message: z.string() }) })),
});

/** The fingerprint of the only group whose example has this in it. */
async function fingerprintOf(line: ConsoleLine, words: string): Promise<string> {
  const { items } = failures.parse((await line.ask('/failures')).json);
  const [group, ...others] = items.filter(({ example }) => example.message.includes(words));
  expect(others).toEqual([]);
  if (!group) throw new Error(`No group of failures has ${words} in its example.`);
  return group.fingerprint;
}

/** Mends the cause, and takes back what is left of a test that failed. */
async function mendPoisoned(line: ConsoleLine): Promise<void> {
  await line.sql('ALTER TABLE conversations DROP CONSTRAINT IF EXISTS refuses_one');
  await line.sql(`DELETE FROM webhook_events WHERE outcome = 'dead' AND ${ofPoisoned}`);
}

/** Registers the tests of what is mended from the console. */
export function repairTests(place: GetPlace): void {
  it('marks a group of failures as known, gets it back, and replays it once its cause is gone', async () => {
    const { line } = place();
    onTestFinished(() => mendPoisoned(line));
    await line.sql(`ALTER TABLE conversations ADD CONSTRAINT refuses_one CHECK (id <> '${CALLS.poisoned}')`);
    await line.accept([1, 2, 3].map(sent));
    await line.untilRows(`webhook_events WHERE outcome = 'dead' AND ${ofPoisoned}`, 3);

    const { page } = await visit(place(), '/');
    await page.getByRole('link', { name: /events could not be applied/ }).click(SHOWN);
    await page.getByRole('heading', { level: 1, name: 'Failures' }).waitFor(SHOWN);
    const group = (list: string) =>
      page.getByRole('list', { name: list, exact: true }).getByRole('listitem').filter({ hasText: 'refuses_one' });
    await group('Failures').getByText('3 events').waitFor(SHOWN);
    await group('Failures').getByRole('button', { name: 'Mark as known' }).click();
    await page.locator('summary').filter({ hasText: 'Known' }).click();
    await group('Known failures').getByText('3 events').waitFor(SHOWN);
    const fingerprint = await fingerprintOf(line, 'refuses_one');
    await line.untilRows(`known_failures WHERE fingerprint = '${fingerprint}'`, 1);
    await line.accept([sent(4)]);
    await group('Failures').getByText('4 events').waitFor(SHOWN);

    await line.sql('ALTER TABLE conversations DROP CONSTRAINT refuses_one');
    await group('Failures').getByRole('button', { name: 'Replay…' }).click();
    await confirm(page, /^Replay 4$/);
    await line.untilRows(`webhook_events WHERE outcome = 'applied' AND ${ofPoisoned}`, 4);
    expect(await line.sql(`SELECT content FROM conversation_messages WHERE ${ofPoisoned} ORDER BY content`)).toEqual(
      [1, 2, 3, 4].map((n) => ({ content: `poisoned ${n}` })),
    );
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Failures' }).click();
    const left = async () =>
      (await page.getByText('Loading failures').count()) + (await page.getByText('refuses_one').count());
    await page.getByRole('heading', { level: 1, name: 'Failures' }).waitFor(SHOWN);
    await expect.poll(left, SHOWN).toBe(0);
  });

  it('diagnoses requests that were signed with a wrong secret, and readmits them', async () => {
    const { line } = place();
    const words = [1, 2, 3].map((n) => `signed with another secret ${n}`);
    for (const each of words) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await line.sendUnknown(messageBody(REFUSED, unixSeconds(), each))).toBe(401);
    }
    await line.untilRows(`rejected_requests WHERE cause = 'another_secret' AND ${ofRefused}`, 3);
    const { page } = await visit(place(), '/rejected?cause=another_secret');
    await page
      .getByText(/signed with another secret/i)
      .first()
      .waitFor(SHOWN);
    await expect.poll(() => page.getByLabel('Causes', { exact: true }).count(), SHOWN).toBe(1);
    await page.getByRole('option').first().click();
    await page
      .getByRole('region', { name: 'Refused request' })
      .getByText('ELEVENLABS_WEBHOOK_SECRET')
      .first()
      .waitFor(SHOWN);

    await line.learnSecret();
    await page
      .getByRole('button', { name: /^Readmit/ })
      .first()
      .click();
    await confirm(page, /^Readmit 3$/);
    await line.untilRows(`conversation_messages WHERE conversation_id = '${REFUSED}'`, 3);
    await line.untilRows(`rejected_requests WHERE readmitted_at IS NOT NULL AND ${ofRefused}`, 3);
    expect(
      await line.sql(`SELECT DISTINCT origin, outcome FROM webhook_events WHERE conversation_id = '${REFUSED}'`),
    ).toEqual([{ origin: 'readmitted', outcome: 'applied' }]);
  });

  it('cancels an operation', async () => {
    const { line } = place();
    const asked = await line.ask('/operations', { kind: 'replay', filter: {}, rate: 1 });
    expect(asked.status).toBe(202);
    const { id } = z.object({ id: z.string() }).parse(asked.json);
    onTestFinished(async () => void (await line.ask(`/operations/${id}/cancel`, {})));
    const { page } = await visit(place(), `/operations?operation=${id}`);
    await operation(page).getByText('running', { exact: true }).waitFor(SHOWN);
    await operation(page).getByRole('button', { name: 'Cancel…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the operation' }).click();
    await operation(page).getByText('cancelled', { exact: true }).waitFor(SHOWN);
    const [row] = await line.sql(`SELECT status, done < total AS is_cut FROM operations WHERE id = '${id}'`);
    expect(row).toEqual({ status: 'cancelled', is_cut: true });
  });
}
