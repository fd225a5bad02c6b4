import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { ConsoleLine } from '../support/console-line.ts';
import { messageBody } from '../support/console-calls.ts';
import { post, send } from '../support/post.ts';
import type { GetPlace } from './place.ts';

const CONSOLES = 10;
/** How often a console asks for the overview, in milliseconds. */
const EVERY_MS = 1_000;
const ROUNDS = 5;
const EVENTS = 10_000;
const CONNECTIONS = 32;
const AT = 1_768_910_400;

/** The least that the line does beside ten consoles, as a part of what it does with none: the ratio of the medians. */
const LEAST_RATIO = 0.8;

/** Registers the load form: CONSOLE=whole, on a machine that does nothing else. */
export function loadTests(place: GetPlace): void {
  if (process.env['CONSOLE'] !== 'whole') return;
  it(`accepts and applies with ${CONSOLES} consoles open as with none`, { timeout: 900_000 }, async () => {
    const { line } = place();
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    onTestFinished(() => agent.destroy());
    // The first round warms everything up.
    await measure(line, agent, 0);
    const rates: Record<'none' | 'ten', Rates[]> = { none: [], ten: [] };
    // oxlint-disable no-await-in-loop -- one round after the other
    for (let round = 1; round <= ROUNDS; round++) {
      rates.none.push(await measure(line, agent, round * 2));
      const close = openConsoles(line);
      rates.ten.push(await measure(line, agent, round * 2 + 1));
      expect(await close()).toEqual({ 200: expect.any(Number) });
    }
    // oxlint-enable no-await-in-loop
    const ratios = { accepted: NaN, applied: NaN };
    for (const what of ['accepted', 'applied'] as const) {
      const [none = NaN, ten = NaN] = [rates.none, rates.ten].map((each) => median(each.map((rate) => rate[what])));
      ratios[what] = ten / none;
      process.stdout.write(
        `${what} per second: ${none.toFixed(0)} without a console, ${ten.toFixed(0)} with ${CONSOLES}; ratio ${ratios[what].toFixed(3)}; ` +
          `rounds ${rates.none.map((rate, i) => ((rates.ten[i]?.[what] ?? 0) / rate[what]).toFixed(2)).join(' ')}\n`,
      );
    }
    expect(Math.min(ratios.accepted, ratios.applied)).toBeGreaterThanOrEqual(LEAST_RATIO);
  });
}

/** Per second. */
interface Rates {
  accepted: number;
  applied: number;
}

/** Accepts events while no worker takes them, then lets the worker apply them. */
async function measure(line: ConsoleLine, agent: Agent, round: number): Promise<Rates> {
  const bodies = Array.from({ length: EVENTS }, (_, i) =>
    messageBody(`conv_${round}_${Math.floor(i / 20)}`, AT + (i % 600), `message ${i} of round ${round}`),
  );
  await line.worker.freeze();
  const sentAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other on each connection
        expect((await post(line.receiver, body, { agent })).status).toBe(200);
      }
    }),
  );
  const acceptedAt = performance.now();
  await line.worker.thaw();
  const applied = async () => {
    const [row] = await line.sql<{ n: string }>(
      `SELECT count(*) AS n FROM conversation_messages WHERE conversation_id LIKE 'conv\\_${round}\\_%'`,
    );
    return Number(row?.n) === EVENTS;
  };
  await vi.waitUntil(applied, { timeout: 120_000, interval: 50 });
  return {
    accepted: (EVENTS * 1000) / (acceptedAt - sentAt),
    applied: (EVENTS * 1000) / (performance.now() - acceptedAt),
  };
}

/** Opens consoles that ask for the overview. Returns a function that closes them, and tells how many answers had which status. */
function openConsoles(line: ConsoleLine): () => Promise<Record<string, number>> {
  const closed = new AbortController();
  const statuses: Record<string, number> = {};
  const headers = { authorization: `Bearer ${line.apiToken}` };
  const consoles = Array.from({ length: CONSOLES }, async () => {
    // oxlint-disable no-await-in-loop -- one question after the other
    while (!closed.signal.aborted) {
      const { status } = await send(line.dashboard, { method: 'GET', path: '/api/v1/overview', headers });
      statuses[status] = (statuses[status] ?? 0) + 1;
      await delay(EVERY_MS, undefined, { signal: closed.signal }).catch(() => undefined);
    }
    // oxlint-enable no-await-in-loop
  });
  return async () => {
    closed.abort();
    await Promise.all(consoles);
    return statuses;
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}
