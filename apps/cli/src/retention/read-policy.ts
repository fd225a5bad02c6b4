import { readPolicy, retentionVariables, type RetentionPolicy } from '@landline/operations';
import { readVariables } from '@landline/process';
import { z } from 'zod';
import { CliError } from '../errors.ts';
import type { Environment } from '../start/env-file.ts';

/** Reads how long things are kept. @throws {CliError} `configuration_invalid`: its message names the variables that cannot be meant */
export function readRetention(env: Environment): RetentionPolicy {
  const read = readVariables(z.object(retentionVariables), env);
  if (!read.ok) throw new CliError('configuration_invalid', read.faults);
  const policy = readPolicy(read.config);
  if (typeof policy === 'string') throw new CliError('configuration_invalid', policy);
  return policy;
}
