import type { Rebuilds } from '@landline/store';

/** What a rebuild works with. */
export interface RebuildPorts {
  rebuilds: Rebuilds;
  /** Names the code that folds. Tables that another code has begun are not gone on with. */
  code: () => Promise<string>;
}
