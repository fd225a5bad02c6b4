import { readFile, rm, writeFile } from 'node:fs/promises';
import { isRunning } from '../processes/is-running.ts';

/** Debian's switch against starting services: invoke-rc.d runs this script, and starts no service when its exit code is 101. */
export const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** This line distinguishes our file from an administrator's. Earlier versions wrote no such line, and their text is common elsewhere. */
const MARK = /^# Landline's process (\d+) made this/m;

function policy(): string {
  return `#!/bin/sh
# Landline's process ${process.pid} made this while it installed a package, and removes it. Left behind, it may be deleted.
exit 101
`;
}

/**
 * Runs `work`, and keeps Debian's packages from starting their services meanwhile. It leaves an administrator's policy as it is.
 *
 * @param file  Path of the policy; tests pass a path of their own.
 * @returns     What `work` returns.
 * @throws      What `work` throws.
 */
export async function startNothing<T>(work: () => Promise<T>, file = POLICY_FILE): Promise<T> {
  await removeLeftPolicy(file);
  const isOurs = await writeFile(file, policy(), { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    return await work();
  } finally {
    if (isOurs) await rm(file, { force: true });
  }
}

/**
 * Removes the policy that a killed run of ours left behind. While that policy exists, no package can start its service. Never throws.
 */
export async function removeLeftPolicy(file = POLICY_FILE): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = MARK.exec(text)?.[1];
  // The removal fails for an ordinary user. Only root installs, so only root leaves a policy.
  if (pid !== undefined && !isRunning(Number(pid))) await rm(file, { force: true }).catch(() => undefined);
}
