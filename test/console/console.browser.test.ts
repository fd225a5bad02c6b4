import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';
import { launchBrowser } from '../support/console-browser.ts';
import { startConsoleLine, type ConsoleLine } from '../support/console-line.ts';
import { unixSeconds } from '../support/post.ts';
import { accessTests } from './access.ts';
import { conversationTests } from './conversations.ts';
import { eventTests } from './events.ts';
import { longConversationTests } from './long-conversation.ts';
import { outageTests } from './outages.ts';
import { overviewTests } from './overview.ts';
import { pictures } from './pictures.ts';
import { providerTests } from './provider.ts';
import { queueTests } from './queues.ts';
import { repairTests } from './repairs.ts';
import { sendScene } from './scene.ts';
import { startingTests } from './starting.ts';
import { loadTests } from './ten-consoles.ts';

// The whole line, each app as a process of its own, and a browser that does what the line's owner does. The tests share the line: each
// has conversations of its own, and leaves the line well, also where it fails.

let line: ConsoleLine;
let browser: Browser;
const place = () => ({ line, browser });

beforeAll(async () => {
  [line, browser] = await Promise.all([startConsoleLine(), launchBrowser()]);
  await sendScene(line, unixSeconds());
});

afterAll(async () => {
  await browser.close();
  await line.stop();
});

describe('the overview', () => {
  overviewTests(place);
});

describe('conversations', () => {
  conversationTests(place);
  longConversationTests(place);
});

describe('events', () => {
  eventTests(place);
});

describe('repairs', () => {
  repairTests(place);
  startingTests(place);
  providerTests(place);
});

describe('queues', () => {
  queueTests(place);
});

describe('access', () => {
  accessTests(place);
});

describe('outages, and what changes the line', () => {
  outageTests(place);
  loadTests(place);
  pictures(place);
});
