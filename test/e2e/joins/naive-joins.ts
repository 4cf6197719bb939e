import type { JoinType } from '../../../ts/index.ts';

/** A record of the test streams; `id` tells where it came in its own stream. */
export interface Event {
  readonly id: number;
  readonly key: string;
  readonly at: number;
}

/** Two ids: `null` where there is no partner. */
export type Pair = readonly [left: number | null, right: number | null];

/** All pairs of two lists of which `belong` says that they are pairs, with what has no partner as the type says. */
export function naivePairs(lefts: readonly Event[], rights: readonly Event[], type: JoinType, belong: (left: Event, right: Event) => boolean): Pair[] {
  const pairs: Pair[] = [];
  for (const left of lefts) for (const right of rights) if (left.key === right.key && belong(left, right)) pairs.push([left.id, right.id]);
  if (type === 'left' || type === 'full') for (const left of lefts) if (!pairs.some(([id]) => id === left.id)) pairs.push([left.id, null]);
  if (type === 'right' || type === 'full') for (const right of rights) if (!pairs.some(([, id]) => id === right.id)) pairs.push([null, right.id]);
  return pairs;
}

/** Pairs in an order of their own. */
export function sortedPairs(pairs: readonly Pair[]): Pair[] {
  const rank = (id: number | null): number => id ?? -1;
  return pairs.toSorted(([a, b], [c, d]) => rank(a) - rank(c) || rank(b) - rank(d));
}
