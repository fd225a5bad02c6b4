import { useEffect, useRef, useState } from 'preact/hooks';

/** How long the button says what became of it, in milliseconds. */
const SAID_MS = 2_000;

interface CopyButtonProps {
  /** What is copied. A function is asked when somebody copies. */
  text: string | (() => string | Promise<string>);
  /** What the button says, such as "Copy as curl". */
  label: string;
  /** Shows a small sign instead of the label, which a screen reader still hears. */
  small?: boolean;
  tabIndex?: number;
}

/** A button that copies a text, and says for a moment that it did. */
export function CopyButton({ text, label, small = false, tabIndex }: CopyButtonProps) {
  const [said, setSaid] = useState<'copied' | 'failed' | undefined>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function run(): Promise<void> {
    const outcome = await copyText(typeof text === 'string' ? text : await text());
    setSaid(outcome ? 'copied' : 'failed');
    clearTimeout(timer.current);
    timer.current = setTimeout(setSaid, SAID_MS, undefined);
  }

  const answer = said === 'copied' ? 'Copied' : 'Not copied';
  return (
    <button
      type="button"
      class={small ? 'copy copy-small' : 'copy'}
      data-said={said}
      aria-label={small ? label : undefined}
      title={small ? label : undefined}
      tabIndex={tabIndex}
      onClick={(event) => {
        event.stopPropagation();
        void run();
      }}
    >
      {small ? <CopySign done={said === 'copied'} /> : said === undefined ? label : answer}
      <span class="copy-said" role="status">
        {said && answer}
      </span>
    </button>
  );
}

function CopySign({ done }: { done: boolean }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="14"
      height="14"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
    >
      {done ? <path d="M3 8.5l3.2 3.2L13 5" /> : <path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z" />}
    </svg>
  );
}

/** Copies a text. Where the page came by plain HTTP the clipboard's own interface is missing, and a field has to help. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByField(text);
  }
}

function copyByField(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'copy-field';
  // Inside an open dialog only what is in the dialog can have the focus.
  (document.querySelector('dialog[open]') ?? document.body).append(field);
  field.select();
  // Old, and the only way there is without TLS.
  const done = document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return done;
}
