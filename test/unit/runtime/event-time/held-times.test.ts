import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HeldTimes } from '../../../../ts/runtime/stage/held-times.ts';

describe('watermarks in an operator whose records overtake each other', () => {
  it('given none inside, when event time goes on, then that is let go at once', () => {
    const letGo: number[] = [];
    const times = new HeldTimes(({ watermark }) => letGo.push(watermark));
    times.timeChanged({ watermark: 1, isIdle: false });
    times.timeChanged({ watermark: 2, isIdle: false });
    expect(letGo).toEqual([1, 2]);
  });

  it('given any order of events, then each watermark is let go behind the records before it, as early as that is so', () => {
    // A record comes in, event time goes on, or the record of this number among those inside leaves.
    const event = fc.oneof(fc.constant('in' as const), fc.constant('time' as const), fc.nat(20));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const letGo: number[] = [];
        const times = new HeldTimes(({ watermark }) => letGo.push(watermark));
        const inside: { readonly epoch: object; readonly came: number }[] = [];
        const said: { readonly watermark: number; readonly came: number }[] = [];
        events.forEach((what, came) => {
          if (what === 'in') inside.push({ epoch: times.entered(), came });
          else if (what === 'time') {
            said.push({ watermark: came, came });
            times.timeChanged({ watermark: came, isIdle: false });
          } else if (inside.length > 0) times.left(inside.splice(what % inside.length, 1)[0]!.epoch);
          const oldest = Math.min(...inside.map((record) => record.came));
          const due = said.filter((time) => time.came < oldest).map(({ watermark }) => watermark);
          // Of those between two records only the last one need come.
          expect(letGo.at(-1)).toBe(due.at(-1));
          expect(letGo).toEqual(letGo.toSorted((a, b) => a - b));
          expect(due).toEqual(expect.arrayContaining(letGo));
        });
      }),
    );
  });
});
