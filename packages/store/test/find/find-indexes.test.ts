import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { eventFilterSchema } from '../../src/find/event-filter.ts';
import { listStatement } from '../../src/find/find-statements.ts';
import { withStore } from '../support/with-store.ts';

const context = withStore();
const ROWS = 40_000;

/** Every hundredth event is dead, ignored or replayed; a conversation has 20 events, a person five conversations, and an agent a quarter. */
beforeAll(async () => {
  await context.sql(`INSERT INTO conversations (id, agent_id, user_id, external_number, status, started_at, created_at, updated_at)
    SELECT 'c' || i, CASE WHEN i % 4 = 0 THEN 'agent' ELSE 'a' || i END, 'u' || i / 5, '+1202' || i / 5, 'done', now(), now(), now()
    FROM generate_series(0, ${ROWS / 20}) i`);
  await context.sql(`INSERT INTO webhook_events (id, type, conversation_id, event_at, received_at, origin, outcome, error, body_bytes)
    SELECT gen_random_uuid(), CASE WHEN i % 1000 = 7 THEN 'rare' ELSE 'conversation.message' END, 'c' || i / 20, now(),
      now() - i * interval '1 second', CASE WHEN i % 100 = 3 THEN 'replay' ELSE 'webhook' END,
      CASE i % 100 WHEN 1 THEN 'dead' WHEN 2 THEN 'ignored' ELSE 'applied' END,
      CASE WHEN i % 100 = 1 THEN jsonb_build_object('code', CASE WHEN i % 1000 = 1 THEN 'seldom' ELSE 'often' END) END, 0
    FROM generate_series(1, ${ROWS}) i`);
  await context.sql('VACUUM ANALYZE');
});

interface Plan {
  'Node Type': string;
  'Index Name'?: string | undefined;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number | undefined;
  Plans?: Plan[] | undefined;
}
const plan: z.ZodType<Plan> = z.object({
  'Node Type': z.string(),
  'Index Name': z.string().optional(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().optional(),
  Plans: z.lazy(() => z.array(plan)).optional(),
});
const explained = z.array(z.object({ 'QUERY PLAN': z.array(z.object({ Plan: plan })) }));

/** Runs the statement of a listing. Returns the indexes that it took, and how many rows it read. */
async function explain(words: Record<string, string>) {
  const { sql, parameters } = listStatement(eventFilterSchema(Date.now()).parse(words), { limit: 50 });
  const literal = sql.replaceAll(/\$(\d+)/g, (_, n: string) => `'${String(parameters[Number(n) - 1])}'`);
  const [row] = explained.parse(await context.sql(`EXPLAIN (ANALYZE, FORMAT JSON) ${literal}`));
  const flatten = (node: Plan): Plan[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
  const nodes = row?.['QUERY PLAN'].flatMap(({ Plan }) => flatten(Plan)) ?? [];
  const read = nodes
    .filter((node) => node['Node Type'].endsWith('Scan') && node['Node Type'] !== 'CTE Scan')
    .reduce(
      (sum, node) => sum + ((node['Rows Removed by Filter'] ?? 0) + node['Actual Rows']) * node['Actual Loops'],
      0,
    );
  return {
    indexes: nodes.flatMap((node) => node['Index Name'] ?? []),
    kinds: nodes.map((node) => node['Node Type']),
    read,
  };
}

test.each([
  [{}, 'webhook_events_received_at_id_idx'],
  [{ since: '1h' }, 'webhook_events_received_at_id_idx'],
  [{ outcome: 'applied' }, 'webhook_events_received_at_id_idx'],
  [{ origin: 'webhook' }, 'webhook_events_received_at_id_idx'],
  [{ type: 'rare' }, 'webhook_events_by_type'],
  [{ type: 'nothing' }, 'webhook_events_by_type'],
  [{ type: 'conversation.message' }, 'webhook_events_received_at_id_idx'],
  [{ outcome: 'ignored' }, 'webhook_events_ignored'],
  [{ outcome: 'dead' }, 'webhook_events_dead'],
  [{ origin: 'replay' }, 'webhook_events_by_origin'],
  [{ error: 'seldom' }, 'webhook_events_by_error'],
  [{ error: 'nothing' }, 'webhook_events_by_error'],
  [{ conversation: 'c77' }, 'webhook_events_conversation_id_idx'],
  [{ conversation: 'nobody' }, 'webhook_events_conversation_id_idx'],
  [{ user: 'u7' }, 'webhook_events_conversation_id_idx'],
  [{ number: '+12027' }, 'webhook_events_conversation_id_idx'],
  [{ agent: 'a1' }, 'webhook_events_conversation_id_idx'],
])('%j takes its rows from %s', async (words, index) => {
  const { indexes, kinds, read } = await explain(words);
  expect(indexes).toContain(index);
  expect(kinds).not.toContain('Seq Scan');
  expect(read).toBeLessThan(1_500);
});

test('a large agent is not gathered first', async () => {
  const { read } = await explain({ agent: 'agent' });
  expect(read).toBeLessThan(ROWS / 4);
});
