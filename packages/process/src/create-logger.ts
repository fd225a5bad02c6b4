import { destination as buffered, pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** How a process logs. */
export interface LoggerOptions {
  /** The process's name, on every line. */
  name: string;
  /** The least level that is written. */
  level: string;
  /** Where to write; the process's own output unless told otherwise. */
  destination?: DestinationStream & { isTTY?: boolean };
}

/**
 * Makes a logger: lines to read on a terminal, JSON everywhere else. Neither ever holds a secret, a signature or what was
 * said in a call, because nothing that holds them is handed to it.
 */
export function createLogger({ name, level, destination = standardOutput() }: LoggerOptions): Logger {
  const options = { name, level };
  if (!destination.isTTY) return pino(options, destination);
  return pino(options, pretty({ destination, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }));
}

/** Lines that wait for whoever reads the log, in bytes. Past it they are dropped: better a line than an event. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** How long lines wait for others, in ms. */
const GATHERING_MS = 20;

/**
 * A terminal as it is; else a buffer in front of the output, which a thread empties: to write each line by itself would cost
 * as much as the rest of a request, and to write those of each turn of the event loop still a tenth of it. What is left in it is
 * written when the process ends, unless it is killed.
 */
function standardOutput(): DestinationStream & { isTTY?: boolean; flushSync?: () => void } {
  // A reader of the log that goes away (a pipe into a pager) must not take the process with it.
  process.stdout.on('error', () => {});
  if (process.stdout.isTTY) return process.stdout;
  let lines = '';
  const handOver = () => {
    if (lines !== '') output.write(lines);
    lines = '';
  };
  // Before the output's own, which writes what it was handed.
  process.on('exit', handOver);
  const output = buffered({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES }).on('error', () => {});
  return {
    // Lines go together: each write wakes a thread here and whoever reads, and the output measures all it holds.
    write(line) {
      if (lines === '') setTimeout(handOver, GATHERING_MS);
      lines += line;
    },
    /** For pino: a fatal line does not wait. */
    flushSync() {
      handOver();
      output.flushSync();
    },
  };
}
