/** Returns the name of a job of the webhook queue, which Bull Board shows and `eventsIn` reads: `1 event`, or `17 events`. */
export function jobName(events: number): string {
  return events === 1 ? '1 event' : `${events} events`;
}

/** Returns how many events a job has, by its name; undefined for a job of a version that did not say so. */
export function eventsIn(name: string): number | undefined {
  const [, events] = /^(\d{1,9}) events?$/.exec(name) ?? [];
  return events === undefined ? undefined : Number(events);
}
