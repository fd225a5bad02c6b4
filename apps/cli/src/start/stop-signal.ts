const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const POLL_MS = 250;

/**
 * Aborts at the first request to stop. Further ones change nothing: npm passes a terminal's Ctrl-C on a second time,
 * and what stops is bounded in time anyway.
 *
 * @param withParent  Whether the end of the parent is a request as well. Under npm it is: npm passes SIGTERM to the
 *                    shell between it and us, which ends and passes on nothing.
 */
export function stopSignal({ withParent }: { withParent: boolean }): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => controller.abort());
  if (withParent) watchParent(() => controller.abort());
  return controller.signal;
}

function watchParent(ended: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ended();
  }, POLL_MS);
  timer.unref();
}
