import { destination as buffered, pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** The options of a logger. */
export interface LoggerOptions {
  /** The process's name, on every line. */
  name: string;
  /** The least level that is written. */
  level: string;
  /** The stream to write to; the default is the process's output. */
  destination?: DestinationStream & { isTTY?: boolean };
}

/**
 * Makes a logger: readable lines on a terminal, JSON everywhere else. No line holds a secret, a signature or the words
 * of a call, because callers pass none of them.
 */
export function createLogger({ name, level, destination = standardOutput() }: LoggerOptions): Logger {
  const options = { name, level };
  if (!destination.isTTY) return pino(options, destination);
  return pino(options, pretty({ destination, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }));
}

/**
 * The greatest size of lines that wait for the reader of the log, in bytes. Further lines are dropped: a line is worth
 * less than an event.
 */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** How long a line waits for others, in ms. A shorter time costs more system calls; a longer one delays the log. */
const GATHERING_MS = 20;

/**
 * Returns the terminal, or else a buffer in front of the output, which a thread empties. Two other ways cost more:
 *
 * - one write for each line costs as much as the rest of a request;
 * - one write for each turn of the event loop costs a tenth of that.
 *
 * The buffer is written when the process ends, unless the process is killed.
 */
function standardOutput(): DestinationStream & { isTTY?: boolean; flushSync?: () => void } {
  // When the reader of the log goes away (a pipe into a pager), the process must go on.
  process.stdout.on('error', () => {});
  if (process.stdout.isTTY) return process.stdout;
  let lines = '';
  const handOver = () => {
    if (lines !== '') output.write(lines);
    lines = '';
  };
  // This handler runs before the output's own, which writes what the output holds.
  process.on('exit', handOver);
  const output = buffered({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES }).on('error', () => {});
  return {
    // Lines are gathered: each write wakes a thread here and the reader, and the output measures all that it holds.
    write(line) {
      if (lines === '') setTimeout(handOver, GATHERING_MS);
      lines += line;
    },
    /** Called by pino, so that a fatal line does not wait. */
    flushSync() {
      handOver();
      output.flushSync();
    },
  };
}
