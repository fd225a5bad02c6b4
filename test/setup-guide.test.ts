import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OUTCOMES } from './setup-guide/outcomes.ts';
import { readCaddyfile } from './setup-guide/proxy.ts';
import { beginGuideSession, type GuideSession } from './setup-guide/guide-session.ts';
import { readGuide, stepsOf, variablesOf } from './setup-guide/read-guide.ts';

const english = readGuide('setup.md');
const arabic = readGuide('setup.ar.md');
const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');

const ROUTES: [string, number][] = [
  ['/api/elevenlabs/webhook', 3000],
  ['/api/elevenlabs/conversation-initiation', 3003],
];

describe('the guides in English and Arabic', () => {
  test('are typed the same, step by step, and each step has an outcome here', () => {
    const known = OUTCOMES.map(({ kind, text }) => ({ kind, text }));
    expect(stepsOf(english)).toEqual(known);
    expect(stepsOf(arabic)).toEqual(known);
  });

  test('have the same headings, tables, lists, links and blocks', () => {
    expect(arabic.shape).toEqual(english.shape);
    // Blocks that show a text for people are translated.
    const blocks = ({ blocks: all }: typeof english) => all.filter(({ language }) => language !== 'text');
    expect(blocks(arabic)).toEqual(blocks(english));
    expect(arabic.blocks.map(({ language }) => language)).toEqual(english.blocks.map(({ language }) => language));
  });

  test('name the same variables of Landline, and .env.example explains each', () => {
    expect(variablesOf(arabic)).toEqual(variablesOf(english));
    const unknown = variablesOf(english).filter((name) => !new RegExp(`^(# )?${name}=`, 'm').test(example));
    expect(unknown).toEqual([]);
  });

  test('hold nothing that only one kind of shell understands', () => {
    // In zsh, the shell of macOS, a typed # begins no comment and a bare ? or * is a pattern; GNU and BSD differ in `sed -i`.
    const commands = stepsOf(english).filter(({ kind }) => kind === 'sh');
    const unquoted = commands.map(({ text }) => text.replaceAll(/<<END\n[^]*|"[^"]*"|'[^']*'/g, ''));
    expect(unquoted.filter((text) => /#|\?|\*|sed -i|\[\[|date -d/.test(text))).toEqual([]);
    // A query stands in double quotes.
    const queries = stepsOf(english).filter(({ kind }) => kind === 'sql');
    expect(queries.filter(({ text }) => /["$`!\\]/.test(text))).toEqual([]);
  });

  test.each([english, arabic])('open two paths to the world, and no more', ({ blocks }) => {
    const files = blocks.filter(({ language }) => language === 'caddyfile');
    expect(files.map(({ text }) => [...readCaddyfile(text)])).toEqual([ROUTES]);
  });
});

describe('the Arabic guide', () => {
  const lines = arabic.text.trimEnd().split('\n');

  test('runs from right to left, and its blocks of code from left to right', () => {
    expect([lines[0], lines.at(-1)]).toEqual(['<div dir="rtl">', '</div>']);
    let depth = 0;
    for (const line of lines) depth += line.startsWith('<div') ? 1 : line === '</div>' ? -1 : 0;
    expect(depth).toBe(0);
    const opened = lines.flatMap((line, i) => (/^```\w/.test(line) ? [lines.slice(i - 2, i)] : []));
    const closed = lines.flatMap((line, i) => (line === '```' ? [lines.slice(i + 1, i + 3)] : []));
    expect(opened).toHaveLength(arabic.blocks.length);
    // A prompt in Arabic is read from the right.
    const directions = arabic.blocks.map(({ text }) => (/^\p{Script=Arabic}/u.test(text) ? 'rtl' : 'ltr'));
    expect(opened).toEqual(directions.map((direction) => [`<div dir="${direction}">`, '']));
    expect(closed).toEqual(directions.map(() => ['', '</div>']));
  });

  test('keeps signs at the ends of code on their side', () => {
    // From right to left, a browser moves the dot of `.env` behind it. `<code dir="ltr">` has a direction of its own.
    const codes = [...arabic.prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
    expect(codes.length).toBeGreaterThan(50);
    expect(codes.filter((code) => !/^(\d+|[a-z].*[a-z\d]|[a-z])$/i.test(code))).toEqual([]);
  });
});

describe('a reader who types the guide', () => {
  let session: GuideSession | undefined;

  beforeAll(async () => {
    session = await beginGuideSession(new Map(ROUTES));
  });
  afterAll(() => session?.end());

  // Named by its first line.
  const steps = OUTCOMES.map((outcome) => ({ name: outcome.text.split('\n', 1).join(''), outcome }));

  test.each(steps)('sees what it says: $name', async ({ outcome }) => {
    const { exit, output } = (await session?.type(outcome)) ?? { exit: undefined, output: '' };
    for (const shown of outcome.prints ?? []) expect(output).toMatch(shown);
    expect({ exit, output }).toEqual({ exit: outcome.exit ?? 0, output });
    const json: unknown = outcome.json === undefined ? undefined : JSON.parse(output);
    expect(json).toEqual(outcome.json);
  });
});
