import type { ComponentChildren } from 'preact';

/** How a tag looks: `good` for what went well, `bad` for what a person should mend, `warn` for what may become so, `live` for what goes on. */
export type Tone = 'good' | 'bad' | 'warn' | 'live' | 'quiet';

/** A short word about a state. The word says it; the colour only helps. */
export function Tag({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`tag tag-${tone}`}>{children}</span>;
}
