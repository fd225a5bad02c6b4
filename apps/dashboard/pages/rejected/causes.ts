import { CAUSES, isHopeless } from '@landline/webhook/causes';

/** What is known of a cause. */
export interface CauseWords {
  title: string;
  /** What was found, in one sentence. */
  says: string;
  /** What to do. */
  advice: string;
  /** Whether any secret can make its requests good. */
  canReadmit: boolean;
}

/** The name of a cause as words: `another_secret` is `Another secret`. */
export function causeTitle(cause: string): string {
  const words = cause.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What is known of a cause. One that this version does not know has its name alone. */
export function causeWords(cause: string): CauseWords {
  const known = Object.entries(CAUSES).find(([name]) => name === cause)?.[1];
  return {
    title: causeTitle(cause),
    says: known?.says ?? 'This version of the console does not know the cause.',
    advice: known?.advice ?? 'Open one of its requests: it has the advice.',
    canReadmit: !isHopeless(cause),
  };
}

/** All causes, for a filter. */
export const CAUSE_NAMES: readonly string[] = Object.keys(CAUSES);
