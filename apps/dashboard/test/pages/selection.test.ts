import { expect, it } from 'vitest';
import { selectedItems, selectKeys } from '../../pages/events/selection.ts';

const event = (id: string, outcome = 'dead') => ({ id, outcome });

it('keeps what is selected when the list no longer has it', () => {
  const before = selectKeys(new Set(['1', '2']), new Map(), [event('1'), event('2'), event('3')]);
  expect(selectedItems(before, [event('7'), event('8')])).toEqual([event('1'), event('2')]);
  const after = selectKeys(new Set(['1', '2', '8']), before, [event('7'), event('8')]);
  expect([...after.keys()]).toEqual(['1', '2', '8']);
});

it('takes out what is selected no more', () => {
  const before = selectKeys(new Set(['1', '2']), new Map(), [event('1'), event('2')]);
  expect([...selectKeys(new Set(['2']), before, []).keys()]).toEqual(['2']);
});

it('takes a selected item as the list has it now', () => {
  const selection = selectKeys(new Set(['1']), new Map(), [event('1')]);
  expect(selectedItems(selection, [event('1', 'applied')])).toEqual([event('1', 'applied')]);
});
