import { readFileSync } from 'node:fs';
import { readBlocks, splitCommands, withoutBlocks, type Block } from '../typing/blocks.ts';

/** What two guides in different languages must have in common. */
export interface Shape {
  /** The levels of the headings, in their order. */
  headings: number[];
  /** Rows of tables, items of lists and boxes of the checklist. */
  rows: number;
  items: number;
  boxes: number;
  /** Where links lead to, in their order. */
  links: string[];
}

/** A guide as it is written, and what a reader of it types. */
export interface Guide {
  text: string;
  /** Without its fenced blocks. */
  prose: string;
  blocks: Block[];
  shape: Shape;
}

/** Reads docs/<name>. */
export function readGuide(name: string): Guide {
  const text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  const prose = withoutBlocks(text);
  return { text, prose, blocks: readBlocks(text), shape: shapeOf(prose) };
}

function shapeOf(prose: string): Shape {
  const count = (pattern: RegExp) => prose.match(pattern)?.length ?? 0;
  return {
    headings: [...prose.matchAll(/^(#+) /gm)].map(([, marks = '']) => marks.length),
    rows: count(/^\|/gm),
    items: count(/^(?:-|\d+\.) /gm),
    boxes: count(/^- \[ \] /gm),
    // Each guide names the other one.
    links: [...prose.matchAll(/\]\(([^)]*)\)/g)].flatMap(([, to = '']) => (/^setup\.(ar\.)?md$/.test(to) ? [] : [to])),
  };
}

/** Something that a reader types: a command, a query for `landline sql`, or a line of .env. */
export interface Step {
  kind: 'sh' | 'sql' | 'dotenv';
  text: string;
}

/** Everything that a reader of the guide types, in its order. */
export function stepsOf({ blocks }: Guide): Step[] {
  return blocks.flatMap(({ language, text }): Step[] => {
    if (language === 'sh') return splitCommands(text).map((command) => ({ kind: 'sh', text: command }));
    if (language === 'dotenv') return text.split('\n').map((line) => ({ kind: 'dotenv', text: line }));
    return language === 'sql' ? [{ kind: 'sql', text }] : [];
  });
}

/** The variables of Landline's that a guide names, without the ending of `<NAME>_FILE`. */
export function variablesOf({ text }: Guide): string[] {
  const named = [...text.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
  const set = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);
  return [...new Set([...named, ...set].map((name) => name.replace(/_FILE$/, '')))].toSorted();
}
