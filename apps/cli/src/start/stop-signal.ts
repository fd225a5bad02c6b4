const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const POLL_MS = 250;

/**
 * Makes a signal that aborts at the first request to stop: SIGINT, SIGTERM or SIGHUP. Further requests change nothing, because npm passes
 * a terminal's Ctrl-C on a second time. Stopping has time limits of its own.
 *
 * @param withParent  Whether the end of the parent process is a request as well. It must be under npm: npm sends SIGTERM to the shell
 *                    between itself and this process. That shell ends, and passes no signal on.
 */
export function stopSignal({ withParent }: { withParent: boolean }): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => controller.abort());
  if (withParent) watchParent(() => controller.abort());
  return controller.signal;
}

function watchParent(onEnd: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onEnd();
  }, POLL_MS);
  timer.unref();
}
