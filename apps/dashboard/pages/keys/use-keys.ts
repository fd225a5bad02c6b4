import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { counts, meaningOf } from './key-pairs.ts';

/** What a key does, in words for the help, and the doing. */
export interface Binding {
  does: string;
  run: () => void;
}

/** Keys are written as `j`, `?`, `enter`, `esc` or, one after the other, `g o`. */
export type Bindings = Record<string, Binding>;

/** A group of keys as it stands: the newest group wins. `current` is what the last drawing gave. */
interface Group {
  current: Bindings;
}

/** All groups that are shown. The help reads it. */
export const keyGroups = signal<readonly Group[]>([]);

/** How long the second key of a pair may take. */
const PAIR_MS = 1_200;

const NAMES: Record<string, string> = { Escape: 'esc', Enter: 'enter', ArrowDown: 'down', ArrowUp: 'up', ' ': 'space' };

/** The first key of a pair, while it waits for its second; else ''. */
export const pendingKey = signal('');

let pendingTimer: ReturnType<typeof setTimeout> | undefined;

/** Makes a key wait for its second for a while; '' ends the waiting. */
function wait(key: string): void {
  clearTimeout(pendingTimer);
  pendingKey.value = key;
  if (key !== '') pendingTimer = setTimeout(wait, PAIR_MS, '');
}

/** Whether typing goes into the element. */
function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable || target.matches('input:not([type=checkbox],[type=radio],[type=button]),textarea,select')
  );
}

/** Whether the element has a use of its own for enter and space. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('a[href],button,summary,input,audio') !== null;
}

/** The binding of a key, in the newest group that has it. */
function bindingOf(key: string): Binding | undefined {
  return keyGroups.value.findLast((group) => group.current[key])?.current[key];
}

/** All keys and pairs that are bound. */
export function boundKeys(groups: readonly Group[]): ReadonlySet<string> {
  return new Set(groups.flatMap((group) => Object.keys(group.current)));
}

/** What a key means, or undefined where it is not for us. */
function meantBy(event: KeyboardEvent): string | undefined {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return undefined;
  // A dialog has the keys for itself, and the browser closes it on esc.
  if (document.querySelector('dialog[open]')) return undefined;
  const key = NAMES[event.key] ?? event.key;
  if ((key === 'enter' || key === 'space') && isControl(event.target)) return undefined;
  return key;
}

/** Runs what a key is bound to. The app gives it every keydown of the document. */
export function onKeydown(event: KeyboardEvent): void {
  const key = meantBy(event);
  if (key === undefined) return;
  if (isField(event.target)) {
    if (key === 'esc' && event.target instanceof HTMLElement) event.target.blur();
    return;
  }
  if (!counts(key, event.repeat)) return;
  const first = pendingKey.peek();
  const meaning = meaningOf(key, first, boundKeys(keyGroups.peek()));
  wait(meaning !== 'nothing' && 'waits' in meaning ? meaning.waits : '');
  if (meaning === 'nothing' || 'waits' in meaning) return;
  event.preventDefault();
  bindingOf(meaning.runs)?.run();
}

/** Registers keys while the component is shown. `?` lists them. */
export function useKeys(bindings: Bindings): void {
  const group = useRef<Bindings>(bindings);
  group.current = bindings;
  useEffect(() => {
    keyGroups.value = [...keyGroups.peek(), group];
    return () => {
      keyGroups.value = keyGroups.peek().filter((other) => other !== group);
    };
  }, []);
}
