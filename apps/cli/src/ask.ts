import { createInterface } from 'node:readline/promises';

/** What a question is asked on. */
export interface Asking {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/** Asks a person a question on a terminal. Returns whether the answer is yes; any other answer, and the end of the input, is a no. */
export async function ask(question: string, { input, output }: Asking): Promise<boolean> {
  const lines = createInterface({ input, output, terminal: false });
  output.write(`${question} [y/N] `);
  try {
    for await (const line of lines) return /^y(?:es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
