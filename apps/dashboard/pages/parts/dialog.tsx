import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

/** What a dialog shows. */
interface DialogProps {
  title: string;
  onClose: () => void;
  /** Whether nothing closes it now, such as while what was confirmed is sent. */
  isHeld?: boolean;
  children: ComponentChildren;
}

/** A dialog over the page: the browser keeps the focus in it, closes it on esc, and gives the focus back. */
export function Dialog({ title, onClose, isHeld = false, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const isOver = useRef(false);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    // Not the cross in the corner: the button that changes nothing.
    dialog.current?.querySelector<HTMLElement>('.dialog-foot button')?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  function close(): void {
    if (isHeld || isOver.current) return;
    isOver.current = true;
    onClose();
  }
  function onClick(event: MouseEvent): void {
    // A click on the dialog itself, and not on what it holds, is one beside it.
    if (event.target === dialog.current) close();
  }
  function onClosed(): void {
    // A browser closes a dialog on the second esc, whatever a page says to the first.
    if (isHeld) dialog.current?.showModal();
    else close();
  }
  function onCancel(event: Event): void {
    // Closed here, and not when the browser tells later that it has: a key that comes in between would open a dialog that is closed with this one.
    event.preventDefault();
    close();
  }
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={heading}
      aria-busy={isHeld}
      onCancel={onCancel}
      onClose={onClosed}
      onClick={onClick}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" disabled={isHeld} onClick={close}>
            <span aria-hidden="true">✕</span>
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
