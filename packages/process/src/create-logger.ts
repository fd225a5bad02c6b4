import { pino, type DestinationStream, type Logger } from 'pino';
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
export function createLogger({ name, level, destination = process.stdout }: LoggerOptions): Logger {
  const options = { name, level };
  // A reader of the log that goes away (a pipe into a pager) must not take the process with it.
  if (destination === process.stdout) process.stdout.on('error', () => {});
  if (!destination.isTTY) return pino(options, destination);
  return pino(options, pretty({ destination, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }));
}
