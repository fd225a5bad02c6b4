import type { Tone } from './tag.tsx';

/** What the comparison with ElevenLabs may say of a conversation: a tone, and what it means. */
interface Words {
  tone: Tone;
  says: string;
}

const WORDS: Readonly<Record<string, Words>> = {
  open: { tone: 'live', says: 'the call goes on, or ElevenLabs is not through with it' },
  waiting: { tone: 'quiet', says: 'the call is over, and its webhooks may still come' },
  complete: { tone: 'good', says: 'all that ElevenLabs has of it is here' },
  missing: { tone: 'bad', says: 'something of it never came; the next comparison fetches it' },
  unfetchable: {
    tone: 'warn',
    says: 'something of it never came, and ElevenLabs cannot give it, or what it gave could not be applied (see Failures)',
  },
  erased: { tone: 'quiet', says: 'it was forgotten here; ElevenLabs is not asked for it' },
};

/** All words, as filters take them. */
export const COMPLETENESS = Object.keys(WORDS);

/** What a word means. A later version may know more words than this page. */
export function completenessWords(completeness: string): Words {
  return WORDS[completeness] ?? { tone: 'quiet', says: 'a later version of Landline says so' };
}

/** Whether a list says it: what is complete is as it should be, and what is erased says so anyway. */
export function isNoteworthy(completeness: string | null): completeness is string {
  return completeness !== null && completeness !== 'complete' && completeness !== 'erased';
}

/** Where the conversations of a completeness are listed. */
export function completenessHref(completeness: string): string {
  return `/conversations?${new URLSearchParams({ completeness })}`;
}
