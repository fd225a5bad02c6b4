import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { transcriptBody, type Turn } from '../support/console-calls.ts';
import { unixSeconds } from '../support/post.ts';
import { SHOWN, visit, type GetPlace } from './place.ts';

const ID = 'conv_01k_very_long';
/** More than two parts of a conversation, and no more than it takes. */
const TURNS = 800;
const SAID = 'مرحباً، أريد أن أسأل عن طلبي الذي لم يصل بعد، وقد مضى عليه أسبوع';

const lines = (page: Page) => page.getByRole('list', { name: 'What was said' }).locator(':scope > li');
const more = (page: Page) => page.getByRole('button', { name: 'Show more turns' });

/** How many turns the page says that it shows; all of them where it says nothing. */
async function shown(page: Page): Promise<number> {
  const [text] = await page.getByText(/^Showing [\d,]+ of 800 turns$/).allInnerTexts();
  return text === undefined ? TURNS : Number(text.split(' ')[1]?.replace(',', ''));
}

/** A turn a second; every tenth calls a tool of its number. */
function turnOf(i: number): Turn {
  return {
    role: i % 2 === 0 ? 'agent' : 'user',
    message: `${SAID}. ${SAID} ${i}`,
    seconds: i,
    ...(i % 10 === 0 && {
      tool: { name: `find_${i}`, parameters: { text: SAID.repeat(8) }, result: '{"found":true}' },
    }),
  };
}

/** Registers the test of a conversation that no single answer holds. */
export function longConversationTests(place: GetPlace): void {
  it('reads a call of 800 turns to its end: by key, by scrolling, and by the search', async () => {
    const { line } = place();
    const turns = Array.from({ length: TURNS }, (_, i) => turnOf(i));
    // Other tests look for the only call whose language is Arabic.
    await line.accept([transcriptBody({ id: ID, at: unixSeconds() - 9_000, language: 'fa', turns })]);
    await line.untilRows(`conversations WHERE id = '${ID}' AND status = 'done'`, 1);

    const { page } = await visit(place(), `/conversations/${ID}`);
    await more(page).waitFor(SHOWN);
    const first = await shown(page);
    await page.evaluate(`document.querySelector('.more-turns button').focus({ preventScroll: true })`);
    await page.keyboard.press('Enter');
    await expect.poll(() => shown(page), SHOWN).toBeGreaterThan(first);
    await expect.poll(() => page.evaluate<string>('document.activeElement.textContent'), SHOWN).toBe('Show more turns');

    const toEnd = async () => {
      await page.evaluate(`document.getElementById('main').scrollTop = 1e9`);
      return lines(page).count();
    };
    await expect.poll(toEnd, SHOWN).toBe(TURNS + TURNS / 10);
    expect(await more(page).count()).toBe(0);
    const texts = await lines(page).allTextContents();
    // Behind its name a tool call has how long it took.
    for (const i of [0, 400, 790]) {
      const at = texts.findIndex((text) => text.includes(`find_${i}0.4`));
      expect(texts[at - 1]).toContain(`${SAID} ${i}`);
    }

    const { page: found } = await visit(place(), `/conversations/${ID}?text=703`);
    await lines(found)
      .filter({ hasText: `${SAID} 703` })
      .locator('mark')
      .waitFor(SHOWN);
    await found.getByRole('status').filter({ hasText: '1 turn' }).waitFor(SHOWN);
  });
}
