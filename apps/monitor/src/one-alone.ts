import { once } from 'node:events';

/** Lets one alone try while all are refused. */
export interface OneAlone<T> {
  /** Resolves when it may be tried, or `leaving` aborts. */
  turn(mine: T, leaving: AbortSignal): Promise<void>;
  /** Notes whether the try was refused. When the one that tries alone is not, all may try again. */
  note(mine: T, isRefused: boolean): void;
}

/** Makes a way on which all may try, until one is refused. */
export function createOneAlone<T>(): OneAlone<T> {
  let alone: { tries: T; over: AbortController } | undefined;
  return {
    async turn(mine, leaving) {
      for (let held = alone; held !== undefined && held.tries !== mine && !leaving.aborted; held = alone) {
        // oxlint-disable-next-line no-await-in-loop -- another one may be refused meanwhile
        await once(AbortSignal.any([held.over.signal, leaving]), 'abort');
      }
    },
    note(mine, isRefused) {
      if (isRefused) alone ??= { tries: mine, over: new AbortController() };
      else if (alone?.tries === mine) {
        const { over } = alone;
        alone = undefined;
        over.abort();
      }
    },
  };
}
