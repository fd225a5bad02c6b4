/** How an operation that is done went. To go through all is no success where some of it failed. */
export function howItEnded({ kind, done, failed }: { kind: string; done: number; failed: number }): {
  tone: 'good' | 'warn' | 'bad';
  says: string;
} {
  if (failed === 0) return { tone: 'good', says: 'It is done.' };
  if (kind === 'reconcile') {
    const calls = failed === 1 ? 'one call' : 'some calls';
    return { tone: 'warn', says: `It compared all calls. What is missing of ${calls} is not here yet.` };
  }
  if (done > 0) return { tone: 'warn', says: 'It went through all, and some of it failed.' };
  return { tone: 'bad', says: 'It went through all, and all of it failed.' };
}
