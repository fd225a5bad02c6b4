import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface FoldProps {
  summary: ComponentChildren;
  class?: string;
  isOpen?: boolean;
  /** Made when it is opened for the first time. */
  children: () => ComponentChildren;
}

/** Something folded. What is in it is made when somebody opens it, and stays. */
export function Fold({ summary, class: name, isOpen = false, children }: FoldProps) {
  const [open, setOpen] = useState(isOpen);
  const [wasOpen, setWasOpen] = useState(isOpen);
  return (
    <details
      class={name}
      open={open}
      onToggle={(event) => {
        // The event of a fold inside this one comes by here as well.
        if (event.target !== event.currentTarget) return;
        setOpen(event.currentTarget.open);
        if (event.currentTarget.open) setWasOpen(true);
      }}
    >
      <summary>{summary}</summary>
      {wasOpen && children()}
    </details>
  );
}
