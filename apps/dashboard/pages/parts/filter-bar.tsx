import { useId, useRef, useState } from 'preact/hooks';
import { useKeys } from '../keys/use-keys.ts';
import type { QueryChange } from '../route/changed-query.ts';
import { useQuery } from '../route/use-query.ts';
import { readTyped, suggestionsFor, tokenText, type FilterWord, type Suggestion, type Token } from './filter-tokens.ts';

export interface FilterBarProps {
  words: readonly FilterWord[];
  /** Whether words that are no tokens are looked for in texts, as the query's `text`. */
  text?: boolean;
  /** What the field says while it is empty. */
  placeholder?: string;
}

/** The tokens of the address that this bar knows, and its text. */
function tokensOf(query: Readonly<Record<string, string>>, { words, text }: FilterBarProps): Token[] {
  const names = text === true ? [...words.map(({ name }) => name), 'text'] : words.map(({ name }) => name);
  return names.flatMap((name) => {
    const value = query[name];
    return value === undefined || value === '' ? [] : [{ name, value }];
  });
}

/** What the field does with its text: keeps it, and puts it into the address. */
function useTyping(props: FilterBarProps, tokens: readonly Token[]) {
  const [, setQuery] = useQuery();
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(-1);
  function type(next: string): void {
    setTyped(next);
    setChosen(-1);
  }
  function commit(text: string): void {
    const read = readTyped(text, props.words);
    const change: QueryChange = {};
    for (const { name, value } of read.tokens) change[name] = value;
    if (props.text === true && read.text !== '') change['text'] = read.text;
    setQuery(change);
    // What is no token stays to be mended where the list has no text to look in.
    type(props.text === true ? '' : read.text);
  }
  function choose({ insert, isWhole }: Suggestion): void {
    if (isWhole) commit(insert);
    else type(insert);
  }
  function remove({ name }: Token): void {
    setQuery({ [name]: undefined });
  }
  /** Takes a token back into the field. */
  function edit(token: Token): void {
    remove(token);
    type(token.name === 'text' ? token.value : tokenText(token));
  }
  function removeLast(): void {
    const last = tokens.at(-1);
    if (last) remove(last);
  }
  return { typed, type, chosen, setChosen, commit, choose, remove, edit, removeLast };
}

/** Tokens such as `type:conversation.started`, kept in the address; what else is typed becomes `text`. */
export function FilterBar(props: FilterBarProps) {
  const [query] = useQuery();
  const tokens = tokensOf(query, props);
  const typing = useTyping(props, tokens);
  const input = useRef<HTMLInputElement>(null);
  useKeys({ '/': { does: 'Search and filter', run: () => input.current?.focus() } });
  function after(run: () => void): () => void {
    return () => {
      run();
      input.current?.focus();
    };
  }
  return (
    <search class="filter-bar" onClick={(event) => event.target === event.currentTarget && input.current?.focus()}>
      <svg class="filter-icon" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="7" cy="7" r="4.5" />
        <path d="M10.5 10.5 14 14" />
      </svg>
      {tokens.length > 0 && (
        <ul class="tokens" aria-label="Filter">
          {tokens.map((token) => (
            <TokenChip
              key={token.name}
              token={token}
              onEdit={after(() => typing.edit(token))}
              onRemove={after(() => typing.remove(token))}
            />
          ))}
        </ul>
      )}
      <FilterField {...props} typing={typing} input={input} isEmpty={tokens.length === 0} />
    </search>
  );
}

/** One token, with a button that takes it out. */
function TokenChip({ token, onEdit, onRemove }: { token: Token; onEdit: () => void; onRemove: () => void }) {
  return (
    <li class="token">
      <button type="button" class="token-text" title="Change" onClick={onEdit} dir="auto">
        <span class="token-name">{token.name}:</span>
        {token.value}
      </button>
      <button type="button" class="token-remove" aria-label={`Remove ${token.name}:${token.value}`} onClick={onRemove}>
        <span aria-hidden="true">✕</span>
      </button>
    </li>
  );
}

interface FieldProps extends FilterBarProps {
  typing: ReturnType<typeof useTyping>;
  input: { current: HTMLInputElement | null };
  isEmpty: boolean;
}

/** What enter chooses: what the arrows are on; where there is no text to search in, the first that fits. */
function chosenBy(key: string, { typing, text }: FieldProps, shown: readonly Suggestion[]): Suggestion | undefined {
  const onIt = shown[typing.chosen];
  if (typing.typed === '' || (key === 'Enter' && (text === true || typing.typed.includes(':')))) return onIt;
  return onIt ?? shown[0];
}

/** What a key does in the field. Returns whether it was for us. */
function onFieldKey(key: string, field: FieldProps, shown: readonly Suggestion[]): boolean {
  const { typing } = field;
  const suggestion = key === 'Enter' || key === 'Tab' ? chosenBy(key, field, shown) : undefined;
  if (key === 'ArrowDown' || key === 'ArrowUp') {
    const step = key === 'ArrowDown' ? 1 : -1;
    typing.setChosen(Math.max(-1, Math.min(shown.length - 1, typing.chosen + step)));
  } else if (suggestion) {
    typing.choose(suggestion);
  } else if (key === 'Enter') {
    typing.commit(typing.typed);
  } else if (key === 'Backspace' && typing.typed === '') {
    typing.removeLast();
  } else return false;
  return true;
}

/** The field itself, with what can be chosen below it. */
function FilterField(props: FieldProps) {
  const { words, typing, input, isEmpty, text, placeholder } = props;
  const id = useId();
  const [hasFocus, setFocus] = useState(false);
  const shown = hasFocus ? suggestionsFor(typing.typed, words) : [];
  const example = words.find(({ placeholder: hint }) => hint);
  const hint =
    placeholder ??
    `Filter${text === true ? ' or search' : ''}${example ? `, such as ${example.name}:${example.placeholder ?? ''}` : ''}`;
  return (
    <div class="filter-field">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={text === true ? 'Search and filter' : 'Filter'}
        aria-autocomplete="list"
        aria-expanded={shown.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={typing.chosen >= 0 ? `${id}-${typing.chosen}` : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        dir="auto"
        placeholder={isEmpty ? hint : ''}
        value={typing.typed}
        onInput={(event) => {
          setFocus(true);
          typing.type(event.currentTarget.value);
        }}
        onFocus={() => setFocus(true)}
        onBlur={() => setFocus(false)}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          // What was searched for is to be seen: the suggestions would lie over it. An arrow brings them back.
          if (event.key === 'ArrowDown') setFocus(true);
          else if (event.key === 'Enter' && chosenBy('Enter', props, shown) === undefined) setFocus(false);
          if (onFieldKey(event.key, props, shown)) event.preventDefault();
        }}
      />
      {isEmpty && typing.typed === '' && !hasFocus && <kbd class="filter-key">/</kbd>}
      <Suggestions id={id} shown={shown} typing={typing} />
    </div>
  );
}

/** What can be chosen. It is there at all times, so that the field can name it. */
function Suggestions({
  id,
  shown,
  typing,
}: {
  id: string;
  shown: readonly Suggestion[];
  typing: FieldProps['typing'];
}) {
  return (
    <ul id={`${id}-list`} class="suggestions" role="listbox" aria-label="Suggestions" hidden={shown.length === 0}>
      {shown.map((suggestion, n) => (
        <li
          key={suggestion.insert}
          id={`${id}-${n}`}
          role="option"
          aria-selected={n === typing.chosen}
          // The field keeps the focus.
          onMouseDown={(event) => {
            event.preventDefault();
            typing.choose(suggestion);
          }}
        >
          {suggestion.isWhole ? (
            suggestion.label
          ) : (
            <>
              <code>{suggestion.insert.trim().split(/\s+/).at(-1)}</code>
              <span>{suggestion.label}</span>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
