import { describe, expect, it } from 'vitest';
import { addPage, holdFirstPage, mergeFirstPage, type Listed } from '../../pages/api/merge-pages.ts';

interface Item {
  id: string;
  state: string;
}

const keyOf = (item: Item): string => item.id;

function items(letters: string, state = 'new'): Item[] {
  return [...letters].map((id) => ({ id, state }));
}

function listed(letters: string, next: string | null = 'more'): Listed<Item> {
  return { items: items(letters), next, waiting: [] };
}

function ids(list: readonly Item[]): string {
  return list.map(keyOf).join('');
}

describe('a first page that is read anew', () => {
  it('puts new items on top, and leaves the rest with its place to go on', () => {
    const list = mergeFirstPage(listed('dcba', 'behind a'), { items: items('fedc'), next: 'behind c' }, keyOf);
    expect(ids(list.items)).toBe('fedcba');
    expect(list.next).toBe('behind a');
  });

  it('takes the place of a list that it shares nothing with, since there would be a gap', () => {
    const list = mergeFirstPage(listed('dcba'), { items: items('zyxw'), next: 'behind w' }, keyOf);
    expect(ids(list.items)).toBe('zyxw');
    expect(list.next).toBe('behind w');
  });

  it('takes out what the page no longer has between its items', () => {
    const list = mergeFirstPage(listed('edcba', 'behind a'), { items: items('edb'), next: 'behind b' }, keyOf);
    expect(ids(list.items)).toBe('edba');
  });

  it('is the whole list where nothing follows', () => {
    const list = mergeFirstPage(listed('dcba'), { items: items('dc'), next: null }, keyOf);
    expect(ids(list.items)).toBe('dc');
    expect(list.next).toBeNull();
  });

  it('gives the same list where nothing is new, so that nothing is drawn anew', () => {
    const before = listed('cba');
    expect(mergeFirstPage(before, { items: items('cb'), next: 'behind b' }, keyOf)).toBe(before);
  });

  it('keeps the objects of rows that have not changed', () => {
    const before = listed('cba');
    const page = { items: [...items('c', 'done'), ...items('b')], next: 'behind b' };
    const list = mergeFirstPage(before, page, keyOf);
    expect(list.items[0]).toEqual({ id: 'c', state: 'done' });
    expect(list.items[1]).toBe(before.items[1]);
  });
});

describe('while one does not follow', () => {
  it('lets new items wait, and changes known ones in their place', () => {
    const page = { items: [...items('e'), ...items('d', 'done'), ...items('c')], next: 'behind c' };
    const list = holdFirstPage(listed('dcba'), page, keyOf);
    expect(ids(list.items)).toBe('dcba');
    expect(list.items[0]?.state).toBe('done');
    expect(ids(list.waiting)).toBe('e');
    expect(list.next).toBe('more');
  });

  it('shows what waited when one follows again', () => {
    const page = { items: items('edc'), next: 'behind c' };
    const list = mergeFirstPage(holdFirstPage(listed('dcba'), page, keyOf), page, keyOf);
    expect(ids(list.items)).toBe('edcba');
    expect(list.waiting).toEqual([]);
  });
});

it('a next page goes behind the list, without what is there already', () => {
  const list = addPage(listed('dcb'), { items: items('ba'), next: null }, keyOf);
  expect(ids(list.items)).toBe('dcba');
  expect(list.next).toBeNull();
});
