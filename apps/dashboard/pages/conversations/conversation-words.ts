import type { ConversationItem } from '../../src/api/contract/conversations.ts';
import type { Tone } from '../parts/tag.tsx';

/** Statuses of a conversation, as filters take them. */
export const STATUSES = ['initiated', 'in_progress', 'ended', 'processing', 'done', 'failed'];

/** Outcomes of a conversation, as filters take them. */
export const OUTCOMES = ['success', 'failure', 'unknown'];

/** Whether events of the call are still to come. */
export function isLive(status: string): boolean {
  return status === 'initiated' || status === 'in_progress';
}

export function statusTone(status: string): Tone {
  if (status === 'failed') return 'bad';
  if (status === 'done') return 'good';
  return isLive(status) ? 'warn' : 'quiet';
}

export function outcomeTone(result: string | null): Tone {
  if (result === 'success') return 'good';
  return result === 'failure' ? 'bad' : 'quiet';
}

/** Writes a word of a column for a person: `in_progress` is "in progress". */
export function plainWord(word: string): string {
  return word.replaceAll('_', ' ');
}

/** Writes a language and its dialect: "Arabic, Egyptian". An unknown code stays as it is. */
export function languageText(language: string | null, dialect: string | null): string | null {
  if (language === null) return dialect;
  return dialect === null ? languageName(language) : `${languageName(language)}, ${dialect}`;
}

function languageName(code: string): string {
  try {
    return new Intl.DisplayNames('en', { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** What a conversation is called: its title, else who it was with. */
export function titleOf(item: Pick<ConversationItem, 'title' | 'user_id' | 'external_number' | 'erased_at'>): string {
  if (item.erased_at !== null) return 'Erased conversation';
  return item.title ?? item.external_number ?? item.user_id ?? 'Conversation without a title';
}
