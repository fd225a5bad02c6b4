/** The length of a measured recording, in seconds: about that of a call of 30 turns. */
export const RECORDING_SECONDS = 120;

/** The variants of unit-cost. */
export const VARIANTS = {
  live: 'live event',
  low: 'live event at 200/s',
  transcript: 'transcript of 30 turns',
  recording: `recording of ${RECORDING_SECONDS / 60} minutes`,
  idle: 'a second without events',
} as const;

/** Names the variant of live events with several receivers and as many workers. */
export function variantOf(processes: number): string {
  return processes === 1 ? VARIANTS.live : `${VARIANTS.live}, ${processes} receivers and workers`;
}
