import { readFile, rm, writeFile } from 'node:fs/promises';
import { isRunning } from '../processes/is-running.ts';

/** Debian's own way to say "start nothing": invoke-rc.d asks this script, and takes 101 for no. */
export const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** How a file of ours is told from an administrator's. Without this line, as earlier versions wrote it, others write it as well. */
const MARK = /^# Landline's process (\d+) made this/m;

function policy(): string {
  return `#!/bin/sh
# Landline's process ${process.pid} made this while it installed a package, and removes it. Left behind, it may be deleted.
exit 101
`;
}

/**
 * Runs `work`, and keeps Debian's packages from starting their services meanwhile. A policy that an administrator has made is left as it is.
 *
 * @param file  The policy's place; the system's unless a test says otherwise.
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

/** Removes the policy of a run of ours that was killed: as long as it is there, no service starts by its package. Never throws. */
export async function removeLeftPolicy(file = POLICY_FILE): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = MARK.exec(text)?.[1];
  // Only root can write there, and only root installs.
  if (pid !== undefined && !isRunning(Number(pid))) await rm(file, { force: true }).catch(() => undefined);
}
