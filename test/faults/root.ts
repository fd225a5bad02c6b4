import { fileURLToPath } from 'node:url';

/** The repository's folder, seen from here or from this file's own build. */
export const ROOT = fileURLToPath(
  new URL(import.meta.dirname.endsWith('dist/test/faults') ? '../../../../../' : '../../', import.meta.url),
);
