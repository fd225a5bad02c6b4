import { describe, expect, it } from 'vitest';
import { judgeGoals } from '../bench/goals.ts';
import { drawBarChart, type BarChart } from '../bench/report/bar-chart.ts';
import { formatNumber } from '../bench/report/format-number.ts';
import { drawPictures } from '../bench/report/pictures.ts';
import { goalTable, markdownOf, measureTables, textOf } from '../bench/report/tables.ts';
import { median, Results, type Measured } from '../bench/results.ts';
import { replacePart } from './support/markdown.ts';

function figure(name: string, values: number[]): Measured {
  const [measure = '', variant = '', contender = '', metric = '', unit = '/s'] = name.split('|');
  return { measure, variant, contender, metric, unit, values };
}

const MEASURED: readonly Measured[] = [
  figure('accept|64 connections, 0.3 KB|landline|events', [9_000, 8_000, 10_000]),
  figure('accept|64 connections, 0.3 KB|http-limit|events', [10_000, 10_000, 10_000]),
  figure('accept|256 connections, 0.3 KB|landline|events', [7_000]),
  figure('accept|256 connections, 0.3 KB|http-limit|events', [10_000]),
  figure('accept|64 connections, 10 KB|landline|events', [1]),
  figure('accept|64 connections, 10 KB|http-limit|events', [10_000]),
  figure('apply|live events|landline|events', [20_000]),
  figure('apply|live events|queue-naive|events', [500]),
  figure('apply|live events|sql-limit|events', [40_000]),
  figure('end-to-end|64 connections|landline|events', [8_000]),
  figure('end-to-end|64 connections|direct|events', [100]),
  figure('end-to-end|64 connections|pg-boss|events', [1_000]),
  figure('ack-latency|2,000/s|landline|p99|ms', [5]),
  figure('ack-latency|200/s|direct|p99|ms', [20]),
  figure('end-to-end|200 to row, 200/s|landline-journal|p50|ms', [9, 16, 14]),
  figure('end-to-end|200 to row, 200/s|landline-journal|p99|ms', [70]),
  figure('soak|600 s|landline|peak memory of the receiver|MB', [150]),
  figure('soak|600 s|landline|growth|MB', [40]),
  figure('held-workers|messages, 1 × 0.15 of a core|landline|events', [1_000]),
  figure('held-workers|messages, 2 × 0.15 of a core|landline|events', [2_000]),
  figure('held-workers|messages, 4 × 0.15 of a core|landline|events', [4_000]),
  figure('held-workers|transcripts, 1 × 0.15 of a core|landline|events', [100]),
  figure('held-workers|transcripts, 2 × 0.15 of a core|landline|events', [190]),
  figure('held-workers|transcripts, 4 × 0.15 of a core|landline|events', [280]),
  figure('held-workers|messages, 4 × 0.15 of a core|landline|sessions that wait for a lock|%', [2]),
  figure('held-workers|transcripts, 4 × 0.15 of a core|landline|sessions that wait for a lock|%', [10, 12, 11]),
  figure('held-receivers|1 × 0.15 of a core|landline|events', [2_000]),
  figure('held-receivers|4 × 0.15 of a core|landline|events', [7_000]),
  figure('scale|64 connections to each, 1 receiver and worker|landline|events', [5_000]),
  figure('scale|64 connections to each, 2 receivers and workers|landline|events', [4_500]),
  figure('scale|64 connections to each, 4 receivers and workers|landline|events', [3_500]),
  figure('scale|64 connections to all, 1 receiver and worker|landline|events', [6_000]),
  figure('scale|64 connections to all, 2 receivers and workers|landline|events', [3_000]),
];

describe('the goals', () => {
  const judged = new Map(judgeGoals(MEASURED).map((result) => [result.goal.split(',')[0], result]));

  it('are ratios of medians, the worst variant of those that the goal names', () => {
    expect(judged.get('accept ÷ http-limit')).toMatchObject({ value: 0.7, verdict: 'not met' });
    expect(judged.get('apply ÷ queue-naive')).toMatchObject({ value: 40, verdict: 'met' });
    expect(judged.get('apply ÷ sql-limit')).toMatchObject({ value: 0.5, verdict: 'not met' });
    expect(judged.get('end to end ÷ direct')).toMatchObject({ value: 80, verdict: 'met' });
    expect(judged.get('end to end ÷ the best other contender')).toMatchObject({ value: 8, verdict: 'not met' });
    expect(judged.get('p99 of the 200 at 2')).toMatchObject({ value: 0.25, verdict: 'met' });
    expect(judged.get('p50 from the 200 to the row at 200/s')).toMatchObject({ value: 14, verdict: 'met' });
    expect(judged.get('p99 from the 200 to the row at 200/s')).toMatchObject({ value: 70, verdict: 'not met' });
  });

  it('compare several processes with one under the same load, the worst load', () => {
    expect(judged.get('two held workers ÷ one')).toMatchObject({ value: 1.9, verdict: 'met' });
    expect(judged.get('four held workers ÷ one')).toMatchObject({ value: 2.8, verdict: 'not met' });
    expect(judged.get('sessions of held workers that wait for a lock')).toMatchObject({
      value: 11,
      verdict: 'not met',
    });
    expect(judged.get('four held receivers ÷ one')).toMatchObject({ value: 3.5, verdict: 'met' });
    const scaled = (count: string, to: string) =>
      judged.get(`${count} receivers and workers ÷ one with 64 connections to ${to}`);
    expect(scaled('two', 'each')).toMatchObject({ value: 0.9, verdict: 'met' });
    expect(scaled('four', 'each')).toMatchObject({ value: 0.7, verdict: 'not met' });
    expect(scaled('two', 'all')).toMatchObject({ value: 0.5, verdict: 'not met' });
    expect(scaled('four', 'all')).toMatchObject({ verdict: 'not measured' });
  });

  it('are not met by a memory that grows, however small it is', () => {
    expect(judged.get('memory of a receiver under full load')).toMatchObject({ value: null, verdict: 'not met' });
  });

  it('are twenty, and say so where nothing was measured', () => {
    expect(judgeGoals([]).map(({ verdict }) => verdict)).toEqual(Array.from({ length: 20 }, () => 'not measured'));
  });
});

describe('the results', () => {
  it('join the rounds of one figure', () => {
    const results = new Results();
    const name = { measure: 'apply', variant: 'live', contender: 'landline', metric: 'events', unit: '/s' };
    for (const value of [3, 1, 2]) results.add(name, value);
    expect(results.all()).toEqual([{ ...name, values: [3, 1, 2] }]);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe('the tables', () => {
  it('hold the median and the spread of each contender', () => {
    const [accept] = measureTables(MEASURED);
    expect(accept?.rows[0]).toEqual(['variant', 'contender', 'events/s']);
    expect(accept?.rows[1]).toEqual(['64 connections, 0.3 KB', 'landline', '9,000 (8,000–10,000)']);
  });

  it('put many metrics below each other', () => {
    const costs = ['a', 'b', 'c', 'd', 'e'].map((metric) => figure(`cost|full load|landline|${metric}|MB`, [1]));
    expect(measureTables(costs)[0]?.rows.slice(0, 2)).toEqual([
      ['variant', 'metric', 'landline'],
      ['full load', 'a, MB', '1.00'],
    ]);
  });

  it('read well in a terminal and in Markdown', () => {
    const table = {
      title: 'T',
      rows: [
        ['a', 'b'],
        ['x|<y>', '1'],
      ],
    };
    expect(textOf(table)).toBe('T\na      b\n-----  -\nx|<y>  1');
    expect(markdownOf(table)).toBe('### T\n\n| a | b |\n| --- | --- |\n| x\\|&lt;y> | 1 |');
    expect(goalTable(judgeGoals(MEASURED)).rows).toHaveLength(21);
  });

  it('show three digits that matter', () => {
    expect([12345.6, 123.4, 12.34, 1.234, 0.01234, 0].map(formatNumber)).toEqual([
      '12,346',
      '123',
      '12.3',
      '1.23',
      '0.0123',
      '0',
    ]);
  });
});

describe('the README', () => {
  it('changes between the marks alone', () => {
    const readme = 'before\n<!-- results -->\nold\n<!-- /results -->\nafter';
    const written = 'before\n<!-- results -->\n\nnew\n\n<!-- /results -->\nafter';
    expect(replacePart(readme, 'results', 'new')).toBe(written);
    expect(replacePart(written, 'results', 'new')).toBe(written);
    expect(() => replacePart('no marks', 'results', 'new')).toThrow('<!-- results -->');
  });
});

describe('the pictures', () => {
  it('draw each power of ten as the same step', () => {
    const [a = 0, b = 0, c = 0, d = 0] = widthsOf(drawBarChart(chart([3, 30, 300, 3_000])));
    expect(a).toBeGreaterThan(0);
    expect(b - a).toBeGreaterThan(100);
    expect(c - b).toBeCloseTo(b - a, 0);
    expect(d - c).toBeCloseTo(b - a, 0);
  });

  it('show the shortest bar, also where it is a power of ten', () => {
    expect(Math.min(...widthsOf(drawBarChart(chart([100, 5_000]))))).toBeGreaterThan(50);
  });

  it('keep every whisker and bar within the picture', () => {
    const svg = drawBarChart(chart([0, 7, 99_000]));
    const numbers = [...svg.matchAll(/<path d="M([\d.]+)|H([\d.]+)M/g)].map((match) => Number(match[1] ?? match[2]));
    expect(Math.min(...numbers)).toBe(170);
    expect(Math.max(...numbers)).toBeGreaterThan(600);
    expect(Math.max(...numbers)).toBeLessThanOrEqual(670);
    expect(svg).not.toContain('NaN');
    expect(svg).not.toContain('Infinity');
  });

  it('are well-formed with any text in a label', () => {
    for (const svg of [drawBarChart(chart([1], '<a & "b">')), ...drawPictures(MEASURED).map((each) => each.svg)]) {
      expect(tagFault(svg)).toBe('');
      expect(svg.replaceAll(/&(?:amp|lt|gt|quot);/g, '')).not.toContain('&');
    }
    expect(drawBarChart(chart([1], '<a & "b">'))).toContain('&lt;a &amp; &quot;b&quot;&gt;');
  });

  it('are those of accepting and of the whole way, where they were measured', () => {
    expect(drawPictures(MEASURED).map(({ file }) => file)).toEqual(['accept.svg', 'end-to-end.svg']);
    expect(drawPictures([])).toEqual([]);
  });

  it('show a bar for each contender, the limit first', () => {
    const [accept] = drawPictures(MEASURED);
    const labels = [...(accept?.svg ?? '').matchAll(/text-anchor="end">([^<]+)</g)].map(([, label]) => label);
    expect(labels.slice(0, 2)).toEqual(['http-limit', 'landline']);
    expect(accept?.svg).toContain('median of 3 rounds');
  });
});

function chart(values: number[], label = 'a'): BarChart {
  const bars = values.map((value) => {
    const text = String(value);
    return { label, kind: 'own' as const, text, value, low: value * 0.9, high: value * 1.1 };
  });
  return { title: 'T', subtitle: 's', groups: [{ title: 'g', bars }] };
}

function widthsOf(svg: string): number[] {
  return [...svg.matchAll(/class="bar"[^>]* width="([\d.]+)"/g)].map((match) => Number(match[1]));
}

/** Returns the first tag that is closed wrongly or never, or a text that is no tag; an empty text for a well-formed document. */
function tagFault(xml: string): string {
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>/y;
  for (let at = 0; at < xml.length; at = tag.lastIndex) {
    const next = xml.indexOf('<', at);
    const text = xml.slice(at, next < 0 ? undefined : next);
    if (text.includes('>')) return text;
    if (next < 0) break;
    tag.lastIndex = next;
    const found = tag.exec(xml);
    if (!found) return xml.slice(next, next + 80);
    const [, closing, name = '', , alone] = found;
    if (closing) {
      if (open.pop() !== name) return `</${name}>`;
    } else if (!alone) open.push(name);
  }
  return open.join();
}
