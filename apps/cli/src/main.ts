#!/usr/bin/env node
import { join } from 'node:path';
import { ask } from './ask.ts';
import { runCommand } from './run-command.ts';
import { writeBytes } from './write-bytes.ts';

/** Columns of an output that is not a terminal. */
const DEFAULT_WIDTH = 120;

/** How long an open connection may delay the end of `npm start`, in ms. A frozen Postgres would never close its connection. */
const END_WITHIN_MS = 2_000;

// On Node 20 the AWS SDK warns that its later versions need a newer one. The lock file keeps a version that does not.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

// A closed terminal must not end the supervisor before it has stopped what it started.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

process.exitCode = await runCommand(process.argv.slice(2), {
  root: join(import.meta.dirname, '..', '..', '..'),
  env: process.env,
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  write: (bytes) => writeBytes(process.stdout, bytes),
  // Beside the answer, which may go to a file.
  ...(process.stdin.isTTY &&
    process.stderr.isTTY && { ask: (question) => ask(question, { input: process.stdin, output: process.stderr }) }),
  isTerminal: process.stdout.isTTY,
  width: process.stdout.columns || DEFAULT_WIDTH,
});
// The timer is unreferenced: it ends a process that something else keeps running.
if (process.argv[2] === 'start') setTimeout(() => process.exit(), END_WITHIN_MS).unref();
