import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { type GraphName, formatGraphName, graphOfSeed, parseGraphName } from './graph-name.ts';

const ids = fc.uniqueArray(fc.nat(30), { maxLength: 8 }).map((list) => list.toSorted((a, b) => a - b));

const names: fc.Arbitrary<GraphName> = fc.record(
  {
    seed: fc.integer(),
    drop: ids,
    plain: ids,
    rows: ids.chain((steps) => fc.tuple(...steps.map((step) => fc.nat(300).map((count) => ({ step, count }))))),
  },
  { noNullPrototype: true },
);

describe('the text of a graph', () => {
  it('is the seed alone when there are no edits', () => {
    expect(parseGraphName('17')).toStrictEqual(graphOfSeed(17));
    expect(parseGraphName('-3')).toStrictEqual(graphOfSeed(-3));
    expect(formatGraphName(graphOfSeed(17))).toBe('17');
  });

  it('has the edits behind the seed, in any order', () => {
    const name = { seed: 17, drop: [3, 4], plain: [5], rows: [{ step: 0, count: 2 }, { step: 7, count: 0 }] };

    expect(parseGraphName('17:rows=0@7,2@0:drop=4,3:plain=5')).toStrictEqual(name);
    expect(formatGraphName(name)).toBe('17:drop=3,4:plain=5:rows=2@0,0@7');
  });

  it('has ranges for steps in a row', () => {
    expect(parseGraphName('17:drop=6-9,3:plain=1,2').drop).toStrictEqual([3, 6, 7, 8, 9]);
    expect(formatGraphName({ ...graphOfSeed(17), drop: [3, 6, 7, 8, 9, 11, 12] })).toBe('17:drop=3,6-9,11,12');
  });

  test('is read as it was written, and needs no quotes on a shell', () => {
    fc.assert(
      fc.property(names, (name) => {
        const text = formatGraphName(name);

        expect(parseGraphName(text)).toStrictEqual(name);
        expect(formatGraphName(parseGraphName(text))).toBe(text);
        expect(text).toMatch(/^[\d:=,@a-z-]+$/);
      }),
    );
  });

  it.each([
    ['', "'' is no seed"],
    ['1.5', "'1.5' is no seed"],
    ['drop=3', "'drop=3' is no seed"],
    ['17:', "'' is no edit"],
    ['17:dorp=3', "'dorp=3' is no edit"],
    ['17:drop=', "'drop=' is no edit"],
    ['17:drop=3,,4', "'' is nothing to drop"],
    ['17:drop=2@3', "'2@3' is nothing to drop"],
    ['17:drop=9-6', "'9-6' is nothing to drop"],
    ['17:drop=0-99999999', "'0-99999999' is nothing to drop"],
    ['17:drop=3-5,4', "'drop=3-5,4' names a step twice"],
    ['17:rows=3', "'3' is nothing to rows"],
    ['17:drop=3:drop=4', "'drop' is there twice"],
    ['17:rows=1@0,2@0', "'rows=1@0,2@0' names a step twice"],
  ])("'%s' is refused, with what is wrong and how to write it", (text, problem) => {
    expect(() => parseGraphName(text)).toThrow(`'${text}' names no random graph: ${problem}; write a seed, as in 17, or`);
  });
});
