/** A fenced block of a page: its language, and its text without the fences and without the last line feed. */
export interface Block {
  language: string;
  text: string;
}

const FENCED = /^```(\w*)\n([^]*?)\n```$/gm;

/** Returns the fenced blocks of a page in Markdown, in their order. */
export function readBlocks(page: string): Block[] {
  return [...page.matchAll(FENCED)].map(([, language = '', text = '']) => ({ language, text }));
}

/** Returns a page without its fenced blocks. */
export function withoutBlocks(page: string): string {
  return page.replaceAll(FENCED, '');
}

/** Splits a block of commands at its line feeds, but not within a here-document or after a backslash. */
export function splitCommands(block: string): string[] {
  const commands: string[] = [];
  let end: string | undefined;
  let goesOn = false;
  for (const line of block.split('\n')) {
    const last = commands.pop();
    if (end !== undefined || goesOn) commands.push(`${last}\n${line}`);
    else commands.push(...(last === undefined ? [] : [last]), line);
    if (line === end) end = undefined;
    else end ??= /<<'?(\w+)'?$/.exec(line)?.[1];
    goesOn = line.endsWith('\\');
  }
  return commands;
}
