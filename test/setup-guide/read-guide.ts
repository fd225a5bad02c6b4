import { readFileSync } from 'node:fs';
import { readBlocks, splitCommands, withoutBlocks, type Block } from '../typing/blocks.ts';

/** The parts of a guide that must be the same in both languages. */
export interface Shape {
  /** The levels of the headings, in their order. */
  headings: number[];
  /** How many rows of tables, items of lists and boxes of the checklist the guide has. */
  rows: number;
  items: number;
  boxes: number;
  /** The targets of the links, in their order. */
  links: string[];
}

/** A guide's text and shape, and the blocks that its reader types. */
export interface Guide {
  text: string;
  /** The text without its fenced blocks. */
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
    // Each guide has a link to the other one.
    links: [...prose.matchAll(/\]\(([^)]*)\)/g)].flatMap(([, to = '']) => (/^setup\.(ar\.)?md$/.test(to) ? [] : [to])),
  };
}

/** A step that a reader types: a command, a query for `landline sql`, or a line of .env. */
export interface Step {
  kind: 'sh' | 'sql' | 'dotenv';
  text: string;
}

/** Returns the steps that a reader of the guide types, in their order. */
export function stepsOf({ blocks }: Guide): Step[] {
  return blocks.flatMap(({ language, text }): Step[] => {
    if (language === 'sh') return splitCommands(text).map((command) => ({ kind: 'sh', text: command }));
    if (language === 'dotenv') return text.split('\n').map((line) => ({ kind: 'dotenv', text: line }));
    return language === 'sql' ? [{ kind: 'sql', text }] : [];
  });
}

/** Returns the variables of Landline that a guide names, each `<NAME>_FILE` as `<NAME>`. */
export function variablesOf({ text }: Guide): string[] {
  const named = [...text.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
  const set = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);
  return [...new Set([...named, ...set].map((name) => name.replace(/_FILE$/, '')))].toSorted();
}
