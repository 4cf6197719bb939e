import { type Event, naivePairs } from '../joins/naive-joins.ts';
import { compute } from './functions.ts';
import { windowsOf } from './interpret-windows.ts';
import { type Item, keyText } from './item.ts';
import type { JoinKind } from './timed-calls.ts';

/** Two items that belong together. */
interface ItemPair {
  readonly left: Item | undefined;
  readonly right: Item | undefined;
  readonly at?: number;
}

/** What a join makes of the items of two streams, which have keys; and how many pairs its function was given. */
export function interpretJoin(join: JoinKind, salt: number, lefts: readonly Item[], rights: readonly Item[]): { readonly items: Item[]; readonly pairs: number } {
  const pairs = pairsOf(join, lefts, rights);
  const items = pairs.flatMap(({ left, right, at }): Item[] => {
    const row = join.by === 'asOf' ? compute.asOf(salt, left!.row, right && { ...right.row, t: right.at! }) : compute.pair(salt, left?.row, right?.row);
    return row === undefined ? [] : [{ row, ...(at === undefined ? {} : { at }) }];
  });
  return { items, pairs: pairs.length };
}

function pairsOf(join: JoinKind, lefts: readonly Item[], rights: readonly Item[]): ItemPair[] {
  switch (join.by) {
    case 'class':
      return lefts.flatMap((left) => rights.filter((right) => keyText(right) === keyText(left)).map((right) => ({ left, right })));
    case 'interval': {
      const events = (items: readonly Item[]): Event[] => items.map((item, id) => ({ id, key: keyText(item), at: item.at! }));
      const pairs = naivePairs(events(lefts), events(rights), join.type, (left, right) => right.at >= left.at - join.beforeMs && right.at <= left.at + join.afterMs);
      return pairs.map(([l, r]) => {
        const [left, right] = [l === null ? undefined : lefts[l], r === null ? undefined : rights[r]];
        return { left, right, at: Math.max(left?.at ?? -Infinity, right?.at ?? -Infinity) };
      });
    }
    case 'window': {
      const { type, window } = join;
      const sides = new Set(lefts);
      // Both sides in one window: an item is of the left side when it is one of its objects.
      const own = rights.map((item): Item => ({ ...item }));
      return windowsOf([...lefts, ...own], true, window).flatMap(({ end, items }) => {
        const [ours, theirs] = [items.filter((item) => sides.has(item)), items.filter((item) => !sides.has(item))];
        const at = Number.isFinite(end) ? { at: end - 1 } : {};
        const pairs = ours.flatMap((left) => theirs.map((right): ItemPair => ({ left, right, ...at })));
        if (theirs.length === 0 && (type === 'left' || type === 'full')) return ours.map((left): ItemPair => ({ left, right: undefined, ...at }));
        if (ours.length === 0 && (type === 'right' || type === 'full')) return theirs.map((right): ItemPair => ({ left: undefined, right, ...at }));
        return pairs;
      });
    }
    case 'asOf':
      return lefts.flatMap((left): ItemPair[] => {
        const before = rights.filter((right) => keyText(right) === keyText(left) && right.at! <= left.at!);
        const right = before.toSorted((a, b) => b.at! - a.at!)[0];
        if (right !== undefined && (join.withinMs === undefined || right.at! >= left.at! - join.withinMs)) return [{ left, right, at: left.at! }];
        return join.type === 'left' ? [{ left, right: undefined, at: left.at! }] : [];
      });
  }
}
