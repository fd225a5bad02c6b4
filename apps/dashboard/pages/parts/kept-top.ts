/** What `sessionStorage` is to the list that one has left. */
export interface TopStore {
  getItem: (name: string) => string | null;
  setItem: (name: string, value: string) => void;
  removeItem: (name: string) => void;
}

const NAME = 'list-top';

/** Keeps how far a list was scrolled when one left it. Only the list that was left last is kept. */
export function keepTop(store: TopStore, list: string, top: number): void {
  if (top > 0) store.setItem(NAME, JSON.stringify([list, Math.round(top)]));
  else store.removeItem(NAME);
}

/** Takes out how far the list was scrolled when one left it; 0 where another one was left last. */
export function takeTop(store: TopStore, list: string): number {
  const kept = /^\["(.*)",(\d+)\]$/.exec(store.getItem(NAME) ?? '');
  store.removeItem(NAME);
  return kept && JSON.stringify(list) === `"${kept[1]}"` ? Number(kept[2]) : 0;
}
