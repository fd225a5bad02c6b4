import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinToolCalls } from '../../src/events/join-tool-calls.ts';
import type { ToolEntry } from '../../src/events/read-tools.ts';
import { changesOf } from '../support/deliver.ts';

/** Few ids, some of which read like the second use of another, and few names, so that calls and results meet. */
const tool = fc.record({
  kind: fc.constantFrom('call' as const, 'result' as const),
  id: fc.option(fc.constantFrom('x', 'x#2', 'x#3', 'y', '0', '1'), { nil: undefined }),
  name: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
  scope: fc.constantFrom('', '0.0'),
});
const entries: fc.Arbitrary<ToolEntry[]> = fc.array(tool, { maxLength: 14 }).map((tools) =>
  tools.map((one, i) => ({
    ...one,
    type: undefined,
    value: i,
    isError: undefined,
    latencySeconds: undefined,
    rest: {},
    place: String(i),
    at: i,
  })),
);

describe('calls and results, joined', () => {
  test('are all there once, under ids of their own, in their order', () => {
    fc.assert(
      fc.property(entries, (tools) => {
        const rows = joinToolCalls(tools);
        const values = rows.flatMap(({ call, result }) => [call, result].filter((one) => one !== undefined));
        expect(values.map(({ value }) => value).toSorted((a, b) => Number(a) - Number(b))).toEqual(
          tools.map(({ value }) => value),
        );
        expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(rows.length);
        expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).toSorted((a, b) => a - b));
      }),
    );
  });

  test('leave no call without a result while a result of its id stands alone', () => {
    fc.assert(
      fc.property(entries, (tools) => {
        const rows = joinToolCalls(tools);
        const alone = new Set(rows.flatMap(({ call, result }) => (call ? [] : [result?.id])));
        const unanswered = rows.filter(({ call, result }) => call?.id !== undefined && !result);
        expect(unanswered.filter(({ call }) => alone.has(call?.id))).toEqual([]);
      }),
    );
  });

  test('join by the tool only what has not two ids, the call first, within one workflow', () => {
    fc.assert(
      fc.property(entries, (tools) => {
        for (const { call, result } of joinToolCalls(tools)) {
          if (!call || !result || call.id === result.id) continue;
          expect(call.id === undefined || result.id === undefined).toBe(true);
          expect([result.name, result.scope]).toEqual([call.name, call.scope]);
          expect(call.at).toBeLessThan(result.at);
        }
      }),
    );
  });
});

test('an id that stands in the transcript keeps its name, also after a repeated one', () => {
  const ids = ['x', 'x', 'x#2', 'x', 'x#2'];
  const transcript = [{ tool_calls: ids.map((request_id) => ({ request_id, tool_name: 'a' })) }];
  const { toolCalls } = changesOf({ type: 'post_call_transcription', data: { conversation_id: 'c', transcript } });
  expect(toolCalls.map(({ request_id }) => request_id)).toEqual(['x', 'x#3', 'x#2', 'x#4', 'x#2#2']);
});

test('workflows within workflows are read eight levels deep, and what lies deeper stays in their results', () => {
  let result: object = { tool_name: 'deepest', request_id: 'deepest' };
  for (let level = 11; level > 0; level--) {
    result = { tool_name: 'w', request_id: `w${level}`, result: { steps: [{ results: [result] }] } };
  }
  const transcript = [{ tool_results: [result] }];
  const { toolCalls } = changesOf({ type: 'post_call_transcription', data: { conversation_id: 'c', transcript } });
  expect(toolCalls.map(({ request_id }) => request_id)).toEqual(Array.from({ length: 9 }, (_, i) => `w${i + 1}`));
  expect(JSON.stringify(toolCalls)).toContain('deepest');
});

test('a transcript of very many calls of one id and of none is read as fast as any', () => {
  const many = Array.from({ length: 20_000 }, (_, i) =>
    i % 2 ? { tool_name: 'a' } : { request_id: 'x', tool_name: 'a' },
  );
  const transcript = [{ tool_calls: many }, { tool_results: many }];
  const { toolCalls } = changesOf({ type: 'post_call_transcription', data: { conversation_id: 'c', transcript } });
  expect(toolCalls).toHaveLength(20_000);
});
