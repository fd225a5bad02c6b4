import { accessSync, constants, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A part of the machine's CPU time that some processes may use together. */
export interface CpuShare {
  /** Puts a process with all its threads under the share, and undoes that. Each process may use as much of a core as the share says. */
  hold: (pid: number) => void;
  /** Removes the share. Its processes must have ended. */
  remove: () => void;
}

/**
 * The part of a core that each held process may use: so little that the other processes have time left beside four of them on two cores.
 */
export const HELD_CORES = 0.15;

/** The period over which the kernel divides CPU time, in microseconds: its own default. */
const PERIOD_US = 100_000;
const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';

/** Says why no process can be held to a share of a core here; undefined where it can. It takes root and a cgroup. */
export function whyNoShares(): string | undefined {
  if (process.getuid?.() !== 0) return 'it takes root';
  const file = existsSync(join(V1, 'cpu.cfs_quota_us')) ? V1 : existsSync(join(V2, 'cgroup.controllers')) ? V2 : null;
  if (file === null) return 'there is no cgroup for CPU time';
  try {
    accessSync(file, constants.W_OK);
    const share = makeShare('landline-bench-trial', 0.5);
    share.remove();
    return undefined;
  } catch (error) {
    return `the cgroup cannot be written (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Makes a share of `cores`, such as 0.15. */
export function makeShare(name: string, cores: number): CpuShare {
  const isV1 = existsSync(join(V1, 'cpu.cfs_quota_us'));
  const folder = join(isV1 ? V1 : V2, name);
  mkdirSync(folder, { recursive: true });
  const quota = Math.round(cores * PERIOD_US);
  if (isV1) {
    writeFileSync(join(folder, 'cpu.cfs_period_us'), String(PERIOD_US));
    writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quota));
  } else {
    writeFileSync(join(folder, 'cpu.max'), `${quota} ${PERIOD_US}`);
  }
  return {
    hold: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    remove: () => rmdirSync(folder),
  };
}
