import { END_OF_TIME_MS, keyedRows } from './functions.ts';
import { type Item, groupsOf } from './item.ts';

/** What a class with state of keys makes of items. */
export function keyedItems(items: readonly Item[], form: 'count' | 'buckets' | 'total'): Item[] {
  return groupsOf(items, true).flatMap((group): Item[] => {
    const { key } = group[0]!;
    switch (form) {
      case 'count':
        return group.map((_, n) => ({ row: keyedRows.count(key, n + 1), key }));
      case 'total':
        return [{ row: keyedRows.total(key, group.length, sumOf(group)), key, at: END_OF_TIME_MS }];
      case 'buckets':
        return [...Map.groupBy(group, ({ at }) => keyedRows.bucketEnd(at!))].map(([end, inside]) => ({ row: keyedRows.bucket(key, end, inside.length, sumOf(inside)), key, at: end }));
    }
  });
}

const sumOf = (items: readonly Item[]): number => items.reduce((sum, { row }) => sum + row.v, 0);
