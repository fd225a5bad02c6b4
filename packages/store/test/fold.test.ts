import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold } from '../src/tables/fold.ts';
import { mergeRow, type MergedRow } from '../src/tables/merged-row.ts';
import { anEvent, AT } from './support/an-event.ts';

/** Clocks are few, so that they collide; under one clock one event writes, so a clock and a name have one value. */
const register = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('00', '01', '02', '03'));
const registers = fc
  .uniqueArray(register, { selector: ([name]) => name })
  .map((entries) => entries.map(([name, clock]) => [name, { value: `${name} at ${clock}`, clock }] as const));
const row: fc.Arbitrary<MergedRow> = fc.record({
  key: fc.constant(['key']),
  registers: registers.map((entries) => Object.fromEntries(entries)),
  earliest: fc.nat(3),
  latest: fc.nat(3),
  greatestClock: fc.constantFrom(null, '00', '01', '02'),
  maps: fc.record({ metadata: registers, dialects: registers }).map(({ metadata, dialects }) => ({
    metadata: new Map(metadata),
    dialects: new Map(dialects),
  })),
});

/** mergeRow without its side effect. */
function merged(...rows: MergedRow[]): MergedRow {
  const into = structuredClone(rows[0]);
  if (into === undefined) throw new Error('nothing to merge');
  for (const from of rows.slice(1)) mergeRow(into, structuredClone(from));
  return into;
}

describe('mergeRow', () => {
  test('does not mind the order', () => {
    fc.assert(
      fc.property(row, row, (a, b) => {
        expect(merged(a, b)).toEqual(merged(b, a));
      }),
    );
  });

  test('does not mind what was merged before', () => {
    fc.assert(
      fc.property(row, row, row, (a, b, c) => {
        expect(merged(merged(a, b), c)).toEqual(merged(a, merged(b, c)));
      }),
    );
  });

  test('does not mind a repeat', () => {
    fc.assert(
      fc.property(row, row, (a, b) => {
        expect(merged(a, b, a, b)).toEqual(merged(a, b));
      }),
    );
  });

  test('leaves what it merges from as it was', () => {
    fc.assert(
      fc.property(row, row, (a, b) => {
        const before = structuredClone(b);
        mergeRow(structuredClone(a), b);
        expect(b).toEqual(before);
      }),
    );
  });
});

describe('fold', () => {
  const changes = Array.from({ length: 24 }, (_, i) => {
    const types = ['conversation.started', 'conversation.message', 'agent.tool_call', 'agent.action'];
    const transcript = i % 8 === 7;
    const event = anEvent({
      type: transcript ? 'post_call_transcription' : (types[i % types.length] ?? ''),
      at: AT + (i % 5),
      data: {
        conversation_id: `conv_${i % 3}`,
        user_id: `user_${i % 2}`,
        message_id: 'm',
        tool_call_id: 't',
        id: 'x',
        message: `${i}`,
        status: 'done',
        ...(transcript && { transcript: [{ message: `${i}`, tool_calls: [{ request_id: 'r', [`only_${i}`]: i }] }] }),
      },
    });
    if (event.outcome !== 'applied') throw new Error('not applied');
    return event.changes;
  });

  test('does not mind the order or repeats, and has one sorted row for each key', () => {
    const rows = fold(changes);
    const { conversations, toolCalls } = rows;
    expect(conversations.map(({ key }) => key)).toEqual([['conv_0'], ['conv_1'], ['conv_2']]);
    // Each conversation has a transcript, so nothing that was told live is left.
    expect(toolCalls.map(({ key }) => key[1])).toEqual(['transcript', 'transcript', 'transcript']);
    const shuffled = fc.shuffledSubarray([...changes, ...changes], { minLength: 48 });
    fc.assert(
      fc.property(shuffled, (other) => {
        expect(fold(other)).toEqual(rows);
      }),
    );
  });

  test('leaves the changes as they were', () => {
    const before = structuredClone(changes);
    fold([...changes, ...changes]);
    expect(changes).toEqual(before);
  });
});
