import type { OperationCall, Plan } from '../../src/api/contract/operations.ts';
import { countText } from './relative-time.ts';

/** Makes the id of an operation. `crypto.randomUUID` is not there on a page that came by plain HTTP. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // Version 4, and the variant of RFC 9562.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * What starts the operation, with the filter as the plan has it: its times are absolute, so it does what was shown.
 *
 * @param id  Made with the plan: where an answer is lost and one presses again, still one operation starts.
 */
export function startCall(call: OperationCall, plan: Plan, id: string): OperationCall {
  return 'filter' in call ? { ...call, id, filter: plan.filter } : { ...call, id };
}

/** Whether there is anything to do, or may be. An erasure of a person without a conversation still has a profile to forget. */
export function isSomething({ kind, total, is_whole: isWhole, parts }: Plan): boolean {
  if (total > 0 || !isWhole) return true;
  return kind === 'erase' && parts.some(({ counts }) => Object.values(counts).some((n) => n > 0));
}

/** Kinds whose plans tell no number that the button could say: it says the verb alone. */
const WITHOUT_NUMBER: ReadonlySet<string> = new Set(['reconcile', 'fetch-conversation']);

/** What the button says that starts it. */
export function confirmText(verb: string, { kind, total, is_whole: isWhole }: Plan): string {
  if (WITHOUT_NUMBER.has(kind)) return verb;
  if (total === 0) return isWhole ? verb : `${verb} all that match`;
  return isWhole ? `${verb} ${countText(total)}` : `${verb} at least ${countText(total)}`;
}

/**
 * Whether the button that starts it gets the focus. Whoever has pressed a key since the dialog came may press enter next, and has not read
 * what the button says. What cannot be taken back waits until one goes there.
 */
export function mayFocus(kind: OperationCall['kind'], hasPressedKey: boolean): boolean {
  return kind !== 'erase' && !hasPressedKey;
}
