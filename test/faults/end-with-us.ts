const processes = new Set<() => number | undefined>();

/**
 * Lets a process end with this one, however this one ends.
 *
 * @param pid  Its number, or undefined while it does not run.
 * @returns    Forgets it.
 */
export function endWithUs(pid: () => number | undefined): () => void {
  if (processes.size === 0) process.on('exit', endAll);
  processes.add(pid);
  return () => {
    processes.delete(pid);
    if (processes.size === 0) process.off('exit', endAll);
  };
}

function endAll(): void {
  for (const pid of processes) {
    const number = pid();
    if (number === undefined) continue;
    try {
      process.kill(number, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}
