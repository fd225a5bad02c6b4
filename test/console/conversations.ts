import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { untilDone, visit, SHOWN, type GetPlace } from './place.ts';
import { CALLS, LONG_TURNS, PERSON, SCRIPT } from './scene.ts';

const turns = (page: Page) => page.getByRole('list', { name: 'What was said' }).locator(':scope > li');
const heard = (page: Page) => turns(page).and(page.locator('[aria-current=true]'));

/** When the turn began that is heard, in seconds of the call; NaN where none is. */
async function heardFrom(page: Page): Promise<number> {
  const [name] = await heard(page)
    .getByRole('button', { name: /^Play from/ })
    .evaluateAll<(string | null)[], { ariaLabel: string | null }>((buttons) =>
      buttons.map((button) => button.ariaLabel),
    );
  const [, minutes, seconds] = /(\d+):(\d+)$/.exec(name ?? '') ?? [];
  return Number(minutes) * 60 + Number(seconds);
}

const setPlaying = (page: Page, isPlaying: boolean) =>
  page.evaluate(`document.querySelector('audio').${isPlaying ? 'play' : 'pause'}()`);

/** Stops the recording, and waits until the turn is marked that begins last before that moment: there is one every two seconds. */
async function pauseInStep(page: Page): Promise<number> {
  await setPlaying(page, false);
  const seconds = await secondsOf(page);
  const turn = Math.floor(seconds / 2) * 2;
  await expect.poll(() => heardFrom(page), SHOWN).toBe(turn);
  return turn;
}

const secondsOf = (page: Page) => page.evaluate<number>(`document.querySelector('audio').currentTime`);

const rows = (page: Page) => page.getByRole('listbox', { name: 'Conversations' }).getByRole('option');

/** Whether the middle of the turn that is heard is within the window. */
const isInSight = (page: Page) =>
  page.evaluate<boolean>(`(() => {
    const { top, bottom } = document.querySelector('li[aria-current=true]').getBoundingClientRect();
    const middle = (top + bottom) / 2;
    return middle > 0 && middle < innerHeight;
  })()`);

/** Registers the tests of the conversations' pages. */
export function conversationTests(place: GetPlace): void {
  it('plays a call of 200 turns in Arabic, and the chat follows the recording until one scrolls by hand', async () => {
    const { page } = await visit(place(), `/conversations/${CALLS.long}`);
    await turns(page)
      .nth(LONG_TURNS - 1)
      .waitFor({ state: 'attached', ...SHOWN });
    // Beside the turns there is the tool call.
    expect(await turns(page).count()).toBe(LONG_TURNS + 1);
    await page.getByText('أهلاً وسهلاً').first().waitFor(SHOWN);
    expect(
      await page.evaluate<string>(
        `getComputedStyle(document.querySelector('[aria-label="What was said"] [dir=auto]')).direction`,
      ),
    ).toBe('rtl');
    await page.getByText('find_table').click();
    await page.getByText('window 3').waitFor(SHOWN);
    await page.getByText('Interrupted').waitFor(SHOWN);

    // A browser that stands still for a while plays on all the same: what is heard is at the turn that was chosen, or after.
    await page.getByRole('button', { name: 'Play from 0:20', exact: true }).click();
    await expect.poll(() => secondsOf(page), SHOWN).toBeGreaterThan(20.2);
    const first = await pauseInStep(page);
    expect(first).toBeGreaterThanOrEqual(20);
    await setPlaying(page, true);
    await expect.poll(() => heardFrom(page), SHOWN).toBeGreaterThan(first);
    await page.getByRole('button', { name: 'Play from 5:00', exact: true }).click();
    await expect.poll(() => heardFrom(page), SHOWN).toBeGreaterThanOrEqual(300);
    const later = await pauseInStep(page);
    await expect.poll(() => isInSight(page), SHOWN).toBe(true);

    // Who scrolls by hand is left alone, until they follow again.
    await turns(page).first().scrollIntoViewIfNeeded();
    await turns(page).first().hover();
    await page.mouse.wheel(0, -2000);
    const follow = page.getByRole('button', { name: 'Follow', exact: true });
    await follow.waitFor(SHOWN);
    await setPlaying(page, true);
    await expect.poll(() => heardFrom(page), SHOWN).toBeGreaterThan(later);
    await setPlaying(page, false);
    expect(await isInSight(page)).toBe(false);
    await follow.click();
    await expect.poll(() => isInSight(page), SHOWN).toBe(true);
  });

  it('shows a script in a transcript as its text, and runs nothing of it', async () => {
    const { page } = await visit(place(), `/conversations/${CALLS.script}`);
    await turns(page).getByText(SCRIPT).waitFor(SHOWN);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await page.title()).toContain('Landline');
    await page.goto(`${place().line.dashboard}/conversations`);
    await page.getByRole('listbox', { name: 'Conversations' }).getByText(SCRIPT).first().waitFor(SHOWN);
    expect(await page.title()).toContain('Landline');
  });

  it('reproduces a search by its link in another browser', async () => {
    const { page } = await visit(place(), '/conversations');
    const search = page.getByRole('combobox', { name: 'Search and filter' });
    await search.fill('language:ar window');
    await search.press('Enter');
    await search.fill('outcome:success');
    await search.press('Enter');
    await page.getByText('No conversation matches').waitFor(SHOWN);
    await page.getByRole('button', { name: 'Remove text:window' }).click();
    await rows(page).first().waitFor(SHOWN);
    const link = page.url().slice(place().line.dashboard.length);
    expect(link).toBe('/conversations?language=ar&outcome=success');

    const { page: other } = await visit(place(), link);
    await rows(other).first().waitFor(SHOWN);
    expect(await rows(other).allInnerTexts()).toEqual([expect.stringContaining('حجز طاولة بجانب النافذة')]);
    expect(await other.getByRole('list', { name: 'Filter' }).getByRole('listitem').count()).toBe(2);
  });

  it('erases a person', async () => {
    const { line } = place();
    const { page } = await visit(place(), `/conversations?user=${PERSON.user}`);
    await page.getByRole('option', { name: PERSON.name }).first().click();
    await page.getByRole('button', { name: 'Erase this caller…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog
      .getByText(/2 conversations/)
      .first()
      .waitFor(SHOWN);
    await dialog.getByRole('button', { name: /^Erase / }).click();
    await dialog.getByRole('link', { name: 'Open the operation' }).click();
    const id = await untilDone(page);
    await line.untilRows(`operations WHERE id = '${id}' AND kind = 'erase' AND status = 'done'`, 1);
    expect(
      await line.sql(`SELECT DISTINCT title, user_id, external_number, erased_at IS NOT NULL AS is_erased
        FROM conversations WHERE id LIKE 'conv_01k_person_%'`),
    ).toEqual([{ title: null, user_id: null, external_number: null, is_erased: true }]);
    await line.untilRows(`conversation_messages WHERE conversation_id LIKE 'conv_01k_person_%'`, 0);
    await page.goto(`${line.dashboard}/conversations/conv_01k_person_1`);
    await page.getByText('This conversation was erased').waitFor(SHOWN);
    expect(await page.getByText(PERSON.name).count()).toBe(0);
  });
}
