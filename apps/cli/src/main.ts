#!/usr/bin/env node
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** Columns of an output that is no terminal. */
const DEFAULT_WIDTH = 120;

/** How long a connection that nobody needs any more may hold up the end of `npm start`, in ms: a frozen Postgres never closes it. */
const END_WITHIN_MS = 2_000;

// A closed terminal must not end the supervisor before it has stopped what it started.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

process.exitCode = await runCommand(process.argv.slice(2), {
  root: join(import.meta.dirname, '..', '..', '..'),
  env: process.env,
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  width: process.stdout.columns || DEFAULT_WIDTH,
});
// The timer alone keeps nothing running.
if (process.argv[2] === 'start') setTimeout(() => process.exit(), END_WITHIN_MS).unref();
