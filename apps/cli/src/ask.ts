import { createInterface } from 'node:readline/promises';

/** Asks the person at the terminal. The question is no part of a command's answer. */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
