import { expect, it } from 'vitest';
import { readEvaluation } from '../../pages/conversations/evaluation.ts';

it('reads criteria and collected data', () => {
  const analysis = {
    evaluation_criteria_results: {
      a: { criteria_id: 'rebooked', result: 'success', rationale: 'It was moved.' },
      b: {},
    },
    data_collection_results: { day: { value: 'thursday' }, seats: { data_collection_id: 'places', value: 2 } },
  };
  expect(readEvaluation(analysis)).toEqual({
    criteria: [
      { name: 'rebooked', result: 'success', rationale: 'It was moved.' },
      { name: 'b', result: null, rationale: null },
    ],
    collected: [
      { name: 'day', value: 'thursday', rationale: null },
      { name: 'places', value: 2, rationale: null },
    ],
  });
});

it.each([[null], ['text'], [[1]], [{ evaluation_criteria_results: ['x'], data_collection_results: { a: 1 } }]])(
  'finds nothing in %j',
  (analysis) => {
    expect(readEvaluation(analysis)).toEqual({ criteria: [], collected: [] });
  },
);
