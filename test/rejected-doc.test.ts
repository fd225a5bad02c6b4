import { readFileSync } from 'node:fs';
import { CAUSES } from '@landline/webhook/causes';
import { expect, it } from 'vitest';

it('docs/rejected.md lists each cause, in the words of the diagnosis', () => {
  const page = readFileSync(new URL('../docs/rejected.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, cause, says]) => [cause, says]);
  expect(listed).toEqual(Object.entries(CAUSES).map(([cause, { says }]) => [cause, says]));
});
