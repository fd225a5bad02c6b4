import { expect, it, onTestFinished } from 'vitest';
import { openPage } from '../support/console-browser.ts';
import { messageBody } from '../support/console-calls.ts';
import { unixSeconds } from '../support/post.ts';
import { takePicture } from './pictures.ts';
import { visit, SHOWN, type GetPlace } from './place.ts';

const LETTERS = '/queues/queue/webhook-dead-letter?status=failed';
const CONVERSATION = 'conv_01k_letter';

/** Registers the tests of Bull Board, and of what somebody sees who may not come in. */
export function queueTests(place: GetPlace): void {
  it.each(['no password', 'a wrong password'])('shows nothing with %s', async (what) => {
    const { line, browser } = place();
    const wrong = { httpCredentials: { ...line.login, password: 'wrong horse battery' } };
    const { page, context } = await openPage(browser, line.dashboard, what === 'no password' ? {} : wrong);
    const answer = page.waitForResponse((response) => response.url().startsWith(line.dashboard));
    // Without a password headless Chromium shows an error page instead of the dialog for the login.
    await page.goto(line.dashboard).catch(() => undefined);
    expect((await answer).status()).toBe(401);
    await page.waitForLoadState();
    expect(await page.locator('#console').count()).toBe(0);
    await context.close();
  });

  it('shows a dead letter with its error, and its Retry applies it once the cause is gone', async () => {
    const { line } = place();
    const outcome = `webhook_events WHERE conversation_id = '${CONVERSATION}' AND outcome`;
    const mend = () => line.sql('ALTER TABLE conversations DROP CONSTRAINT IF EXISTS refuses_letter');
    onTestFinished(async () => {
      await mend();
      await line.sql(`DELETE FROM ${outcome} = 'dead'`);
    });
    await line.sql(`ALTER TABLE conversations ADD CONSTRAINT refuses_letter CHECK (id <> '${CONVERSATION}')`);
    await line.accept([messageBody(CONVERSATION, unixSeconds(), 'a letter')]);
    await line.untilRows(`${outcome} = 'dead'`, 1);

    // Bull Board asks for a font of another host, which its policy refuses.
    const { page, faults } = await visit(place(), LETTERS);
    await page.getByText('violates check constraint').first().waitFor(SHOWN);
    await page.getByText('refuses_letter').first().waitFor(SHOWN);
    await takePicture(page, 'dashboard.png');

    await mend();
    // The newest letter stands first.
    const retry = page.locator('button:has(svg.lucide-refresh-cw)', { hasNotText: 'Retry all' }).first();
    await retry.hover();
    await page.getByText('Retry', { exact: true }).waitFor(SHOWN);
    await retry.click();
    const retried = page.waitForResponse((response) => response.url().endsWith('/retry'));
    await page.getByRole('button', { name: 'Confirm' }).click();
    expect((await retried).status()).toBe(204);

    await line.untilRows(`${outcome} = 'applied'`, 1);
    expect(faults.splice(0).filter((fault) => !fault.includes('googleapis.com'))).toEqual([]);
  });
}
