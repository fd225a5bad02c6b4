/** Calls that a message names, the first of them, each with its reason. */
export interface NamedCalls {
  /** Adds a call; one that was added before is left as it is. */
  add(id: string, reason: string): void;
  /** Names them, and says how many more there are; undefined: there is none. */
  text(): string | undefined;
}

/** The longest reason, in characters. */
const MOST_REASON_CHARACTERS = 200;

/** How many calls are kept: no message names as many. The others are counted alone. */
const MOST_KEPT = 100;

/** Makes the list of the calls of one kind. @param most  How many characters name them. */
export function createNamedCalls(most: number): NamedCalls {
  const named = new Map<string, string>();
  let count = 0;
  return {
    add(id, reason) {
      if (named.has(id)) return;
      count += 1;
      if (named.size < MOST_KEPT) named.set(id, `${id} (${plain(reason)})`);
    },
    text() {
      let text = '';
      for (const [i, one] of [...named.values()].entries()) {
        const more = `${text === '' ? '' : ', '}${one}`;
        const rest = `, and ${count - i} more`;
        if (text.length + more.length + rest.length <= most) text += more;
        else if (text !== '') return `${text}${rest}`;
        // Where there is no room for the first one, its beginning is better than nothing.
        else text = `${one.slice(0, most - rest.length - 1).toWellFormed()}…`;
      }
      return text === '' ? undefined : text;
    },
  };
}

/** No text of Postgres holds U+0000, or half of a surrogate pair. */
function plain(reason: string): string {
  return reason.toWellFormed().replaceAll('\0', '\ufffd').slice(0, MOST_REASON_CHARACTERS).toWellFormed();
}
