import { journalVariables } from '@landline/journal';
import { subjectSchema, SUBJECT_KINDS, type Subject } from '@landline/store';
import { namesCaller } from '@landline/webhook/phone-number';
import { CliError } from '../errors.ts';
import type { Environment } from '../start/env-file.ts';

/** Reads who or what is to be forgotten from options. @throws {CliError} `arguments_invalid` */
export function readSubject(values: Readonly<Partial<Record<Subject['by'], string | undefined>>>): Subject {
  const given = SUBJECT_KINDS.filter((kind) => values[kind] !== undefined);
  const [by] = given;
  if (by === undefined || given.length > 1) {
    throw new CliError('arguments_invalid', 'erase takes one of --conversation <id>, --user <id> and --number <n>.');
  }
  const read = subjectSchema.safeParse({ by, value: values[by] });
  if (!read.success) throw new CliError('arguments_invalid', `--${by} takes a text of 1 to 256 characters.`);
  if (by === 'number' && !namesCaller(read.data.value)) {
    throw new CliError(
      'arguments_invalid',
      `--number takes a telephone number. "${read.data.value}" names nobody: callers who withhold their number share such words.`,
    );
  }
  return read.data;
}

/** Returns how long journals keep what Redis has, in hours, as JOURNAL_RETENTION_HOURS says here. @throws {CliError} `configuration_invalid` */
export function readJournalHours(env: Environment): number {
  const read = journalVariables.JOURNAL_RETENTION_HOURS.safeParse(env['JOURNAL_RETENTION_HOURS'] || undefined);
  if (read.success) return read.data;
  throw new CliError('configuration_invalid', read.error.issues.map(({ message }) => message).join('\n'));
}
