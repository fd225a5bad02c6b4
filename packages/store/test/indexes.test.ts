import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { withStore } from './support/with-store.ts';

const context = withStore();
const ROWS = 20_000;

beforeAll(async () => {
  await context.sql(`INSERT INTO conversations (id, status, started_at, created_at, updated_at, changed_at, summary)
    SELECT 'c' || i, 'done', now() - i * interval '1 minute' * random(), now(), now(),
      now() - (${ROWS} - i) * interval '1 minute', repeat('a summary ', 50) FROM generate_series(1, ${ROWS}) i`);
  await context.sql(`INSERT INTO conversation_messages (conversation_id, source, event_key, created_at, clock)
    SELECT 'c' || i % 500, 'transcript', i, now() - i * interval '1 minute' * random(), gen_random_uuid()
    FROM generate_series(1, ${ROWS}) i`);
  await context.sql(`INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes)
    SELECT gen_random_uuid(), now(), now() - i * interval '1 minute', 'webhook',
      CASE WHEN i % 100 = 0 THEN 'dead' ELSE 'applied' END, 0 FROM generate_series(1, ${ROWS}) i`);
  await context.sql('VACUUM ANALYZE');
});

interface Plan {
  'Node Type': string;
  'Index Name'?: string | undefined;
  Plans?: Plan[] | undefined;
}
const plan: z.ZodType<Plan> = z.object({
  'Node Type': z.string(),
  'Index Name': z.string().optional(),
  Plans: z.lazy(() => z.array(plan)).optional(),
});
const explained = z.array(z.object({ 'QUERY PLAN': z.array(z.object({ Plan: plan })) }));

/** The nodes of a query's plan, outermost first. */
async function nodesOf(query: string): Promise<string[]> {
  const [row] = explained.parse(await context.sql(`EXPLAIN (FORMAT JSON) ${query}`));
  const flatten = (node: Plan): string[] => [
    [node['Node Type'], node['Index Name']].filter(Boolean).join(' on '),
    ...(node.Plans ?? []).flatMap(flatten),
  ];
  return row?.['QUERY PLAN'].flatMap(({ Plan }) => flatten(Plan)) ?? [];
}

test.each([
  [
    'SELECT * FROM conversations ORDER BY started_at DESC LIMIT 10;',
    ['Limit', 'Index Scan on conversations_started_at_idx'],
  ],
  [
    'SELECT * FROM conversation_messages ORDER BY created_at DESC LIMIT 10;',
    ['Limit', 'Index Scan on conversation_messages_created_at_idx'],
  ],
  [
    `SELECT * FROM conversation_messages WHERE conversation_id = 'c7'`,
    expect.arrayContaining([expect.stringContaining('conversation_messages_pkey')]),
  ],
  [
    `SELECT * FROM webhook_events WHERE outcome = 'dead' ORDER BY received_at LIMIT 10`,
    ['Limit', 'Index Scan on webhook_events_dead'],
  ],
  [
    `SELECT id FROM webhook_events WHERE outcome = 'dead' AND (received_at, id) > (now() - interval '1 day', gen_random_uuid())
      ORDER BY received_at, id LIMIT 500`,
    expect.arrayContaining([expect.stringContaining('webhook_events_dead')]),
  ],
  [
    `SELECT count(*) FROM webhook_events WHERE outcome = 'dead'`,
    expect.arrayContaining([expect.stringContaining('webhook_events_dead')]),
  ],
])('%s takes its rows from an index, without a scan of the table', async (query, nodes) => {
  expect(await nodesOf(query)).toEqual(nodes);
});

test('a reader who polls for what has changed reads the pages that were written lately alone', async () => {
  const changed = `SELECT id FROM conversations WHERE changed_at > now() - interval '5 minutes' ORDER BY changed_at`;
  expect(await nodesOf(changed)).toEqual([
    'Sort',
    'Bitmap Heap Scan',
    'Bitmap Index Scan on conversations_changed_at_idx',
  ]);
});
