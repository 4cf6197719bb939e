import { beforeEach, describe, expect, it } from 'vitest';

import { joined, joins, side } from '../pipelines/joins.ts';
import { numbers } from '../support/run-to-array.ts';

beforeEach(() => {
  for (const list of Object.values(joined)) list.length = 0;
});

describe('joins over worker threads', () => {
  it.each([[1, 2], [2, 3], [3, 1]])('have all records of a key at one instance, from %i to %i instances', async (upstream, downstream) => {
    const [lefts, rights] = [side(90, 3), side(60, 5)];
    const result = await joins.run({ lefts: 90, rights: 60, upstream, downstream });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    const together = lefts.flatMap((left) => rights.filter(({ key }) => key === left.key).map((right) => [left, right] as const));
    const texts = (pairs: readonly (readonly [{ n: number } | undefined, { n: number } | undefined])[]): string[] => pairs.map(([left, right]) => `${left?.n} ${right?.n}`).toSorted();
    expect(joined.class.toSorted()).toEqual(texts(together));

    const windowed = together.filter(([left, right]) => Math.floor(left.at / 40) === Math.floor(right.at / 40));
    const aloneLeft = lefts.filter((left) => !windowed.some(([one]) => one === left)).map((left) => [left, undefined] as const);
    const aloneRight = rights.filter((right) => !windowed.some(([, one]) => one === right)).map((right) => [undefined, right] as const);
    expect(joined.window.toSorted()).toEqual(texts([...windowed, ...aloneLeft, ...aloneRight]));

    const close = together.filter(([left, right]) => right.at >= left.at - 10 && right.at <= left.at + 30);
    const alone = lefts.filter((left) => !close.some(([one]) => one === left)).map((left) => [left, undefined] as const);
    expect(joined.interval.toSorted()).toEqual(texts([...close, ...alone]));

    const comapped = joined.comap.map((text) => text.split(' '));
    expect(comapped.map(([which, n]) => `${which} ${n}`).toSorted()).toEqual([...lefts.map(({ n }) => `left ${n}`), ...rights.map(({ n }) => `right ${n}`)].toSorted());
    for (const instance of numbers(downstream)) {
      const counts = comapped.filter(([, , at]) => at === String(instance)).map(([, , , seen]) => Number(seen));
      expect(counts.toSorted((a, b) => a - b)).toEqual(numbers(counts.length));
    }
  });
});
