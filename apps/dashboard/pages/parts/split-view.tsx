import { isValidElement, type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useKeys } from '../keys/use-keys.ts';

interface SplitViewProps {
  /** The list. */
  children: ComponentChildren;
  /** What is beside it, with the item's key as its own; undefined where nothing is open. */
  detail: ComponentChildren;
  /** Names the detail for those who do not see it. */
  label: string;
  onClose: () => void;
}

/** A list with the detail of one item beside it. On narrow screens the detail covers the list. */
export function SplitView({ children, detail, label, onClose }: SplitViewProps) {
  const isOpen = detail !== undefined && detail !== null && detail !== false;
  return (
    <div class={`split${isOpen ? ' split-open' : ''}`}>
      <div class="split-list">{children}</div>
      {isOpen && (
        <Detail label={label} onClose={onClose}>
          {detail}
        </Detail>
      )}
    </div>
  );
}

/** The detail. It is closed by esc and by its cross. */
function Detail({ children, label, onClose }: Omit<SplitViewProps, 'detail'>) {
  const box = useRef<HTMLElement>(null);
  const key: unknown = isValidElement(children) ? children.key : undefined;
  useKeys({ esc: { does: 'Close the detail', run: onClose } });
  useEffect(() => {
    if (box.current) box.current.scrollTop = 0;
  }, [key]);
  useEffect(() => {
    const split = box.current?.parentElement;
    const list = (): HTMLElement | null | undefined => split?.querySelector<HTMLElement>('.item-list');
    // Where the detail covers the list, the list cannot keep the focus.
    if (list()?.checkVisibility() !== true) box.current?.focus({ preventScroll: true });
    return () => {
      // The list is seen again once this drawing is done. It gets the focus that went with the detail.
      requestAnimationFrame(() => {
        if (document.activeElement === document.body) list()?.focus({ preventScroll: true });
      });
    };
  }, []);
  return (
    <section ref={box} class="split-detail" aria-label={label} tabIndex={-1}>
      <button
        type="button"
        class="icon-button split-close"
        aria-label={`Close ${label.toLowerCase()}`}
        onClick={onClose}
      >
        <span aria-hidden="true">✕</span>
      </button>
      {children}
    </section>
  );
}
