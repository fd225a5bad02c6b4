import { expect, it } from 'vitest';
import { wholeSpans } from '../../pages/overview/whole-spans.ts';

it('curves leave out the span that has not ended', () => {
  const series = {
    from: '2026-11-29T12:00:00.000Z',
    step_seconds: 60,
    accepted: [5, 6, 1],
    applied: [5, 6, 0],
    dead: [0, 0, 0],
    refused: [0, 1, 0],
    p50_ms: [8, null, 9],
    p99_ms: [40, null, 41],
  };
  expect(wholeSpans(series, '2026-11-29T12:02:20.000Z')).toMatchObject({ accepted: [5, 6], p50_ms: [8, null] });
  expect(wholeSpans(series, '2026-11-29T12:03:00.000Z')).toEqual(series);
  expect(wholeSpans(series, '2026-11-29T11:59:00.000Z').accepted).toEqual([]);
});
