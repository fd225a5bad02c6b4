/**
 * How long stopping may take, in milliseconds, beside a wait. Orchestrators kill a process after ten seconds, and a
 * kill cuts off more than this limit does.
 */
const STOP_LIMIT_MS = 9_500;

/**
 * Stops the process on SIGTERM, on SIGINT, or when the process that started it with a channel is gone. In the last case
 * no other process would stop it. A second request changes nothing. The process exits with the code that `stop`
 * resolves with, or with 1 where `stop` fails or takes too long.
 *
 * @param stop     Finishes the work in hand and closes what is open; resolves with the exit code, 0 where it names
 *                 none.
 * @param options  `waitMs`: how long `stop` waits before it begins to close. The supervisor's grace period must allow
 *                 for it.
 */
export function stopOnRequest(stop: () => Promise<number | void>, { waitMs = 0 }: { waitMs?: number } = {}): void {
  let isStopping = false;
  const stopOnce = () => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), waitMs + STOP_LIMIT_MS).unref();
    stop().then(
      (code) => process.exit(code ?? 0),
      (error: unknown) => {
        process.stderr.write(`Stopping failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stopOnce);
  process.on('SIGINT', stopOnce);
  process.once('disconnect', stopOnce);
}
