/** How long leaving may take, in milliseconds, beside a wait: orchestrators kill after ten seconds, and what they cut off is worse. */
const STOP_LIMIT_MS = 9_500;

/**
 * Leaves when asked to: on SIGTERM, on SIGINT, or when whoever started this process with a channel to it is gone, for then
 * nobody would stop it any more. Asked again, it goes on leaving. The process ends with what `leave` answers, or with 1 if that fails or takes
 * too long.
 *
 * @param leave    Finishes what is in hand and closes what is open; resolves with the exit code, 0 where it names none.
 * @param options  `waitMs`: how long `leave` waits before it begins to stop; its supervisor must know of it.
 */
export function stopOnRequest(leave: () => Promise<number | void>, { waitMs = 0 }: { waitMs?: number } = {}): void {
  let leaving = false;
  const stop = () => {
    if (leaving) return;
    leaving = true;
    setTimeout(() => process.exit(1), waitMs + STOP_LIMIT_MS).unref();
    leave().then(
      (code) => process.exit(code ?? 0),
      (error: unknown) => {
        process.stderr.write(`Stopping failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.once('disconnect', stop);
}
