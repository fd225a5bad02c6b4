const pids = new Set<number>();

/** Kills a process when this process exits. A process that has ended before gets no signal: another one may have its number by then. */
export function endWithUs({ pid, exited }: { pid: number; exited: Promise<unknown> }): void {
  if (pids.size === 0) process.on('exit', endAll);
  pids.add(pid);
  void exited.finally(() => {
    pids.delete(pid);
    if (pids.size === 0) process.off('exit', endAll);
  });
}

function endAll(): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The process has ended already.
    }
  }
}
