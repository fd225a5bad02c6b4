#!/usr/bin/env node
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** Columns of an output that is no terminal. */
const DEFAULT_WIDTH = 120;

// A closed terminal must not end the supervisor before it has stopped what it started.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

process.exitCode = await runCommand(process.argv.slice(2), {
  root: join(import.meta.dirname, '..', '..', '..'),
  env: process.env,
  print: (line) => process.stdout.write(`${line}\n`),
  width: process.stdout.columns || DEFAULT_WIDTH,
});
