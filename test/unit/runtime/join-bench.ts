import fc from 'fast-check';
import { expect } from 'vitest';

import type { StageNode, StageOp } from '../../../ts/compiler/physical-plan.ts';
import type { PairHolder } from '../../../ts/runtime/stage/pair-holder.ts';
import type { StageBindings } from '../../../ts/runtime/stage/stage-bindings.ts';
import type { SidedRecord } from '../../../ts/transformations/interval-join-transformation.ts';

/** A record of one side of a join. */
export interface Sent {
  readonly id: number;
  readonly side: 0 | 1;
  readonly key: string;
  readonly at: number;
}

/** What comes to a join. */
export type Step = Sent | { readonly watermark: number };

/** A result. */
export interface Given {
  readonly pair: readonly (number | undefined)[];
  readonly time: number;
}

/** The operator, with what a task has around it as far as the operator asks for that. */
export class JoinBench {
  readonly join: PairHolder;
  readonly given: Given[] = [];
  /** Watermarks that were said below. */
  said: number = Number.NEGATIVE_INFINITY;
  readonly late: Float64Array = new Float64Array(1);
  readonly dropped: Float64Array = new Float64Array(1);
  readonly #control = { time: 0, stop: false };

  constructor(make: (node: StageNode, bindings: StageBindings) => PairHolder, op: Partial<StageOp>) {
    const node = { id: 0, op, children: [], sides: [] } as unknown as StageNode;
    const times = { say: (_node: number, watermark: number): void => void (this.said = Math.max(this.said, watermark)) };
    this.join = make(node, { control: this.#control, late: this.late, dropped: this.dropped, times } as unknown as StageBindings);
  }

  do(step: Step): void {
    if ('watermark' in step) this.join.timeChanged({ watermark: step.watermark, isIdle: false });
    else {
      this.#control.time = step.at;
      this.join.submit([step.side, step.id] satisfies SidedRecord, step.key);
    }
    this.take();
  }

  /** Does all steps to the end, and gives the records of each side that were not late; the others are counted, and nothing is kept in the end. */
  play(steps: readonly Step[], check: (inTime: readonly Sent[], watermark: number) => void = () => undefined): readonly [lefts: Sent[], rights: Sent[]] {
    const inTime: Sent[] = [];
    let watermark = Number.NEGATIVE_INFINITY;
    let late = 0;
    for (const step of steps) {
      this.do(step);
      if ('watermark' in step) ({ watermark } = step);
      else if (step.at < watermark) late++;
      else inTime.push(step);
      check(inTime, watermark);
    }
    this.join.end();
    this.take();
    expect(this.late[0]).toBe(late);
    expect(this.join.waiting).toEqual({ records: 0, keys: 0 });
    return [inTime.filter(({ side }) => side === 0), inTime.filter(({ side }) => side === 1)];
  }

  take(): void {
    const results = this.join.takeResults();
    results?.records.forEach((pair, n) => {
      const time = results.times![n]!;
      // Nothing that is given is behind what was said below before.
      expect(time).toBeGreaterThanOrEqual(this.said);
      this.given.push({ pair: pair as readonly (number | undefined)[], time });
    });
    this.join.sayTime();
  }
}

/** Records of two sides and two keys, and watermarks that go on. */
export const joinSteps: fc.Arbitrary<Step[]> = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.record({ side: fc.constantFrom(0 as const, 1 as const), key: fc.constantFrom('a', 'b'), at: fc.integer({ min: 0, max: 60 }) }) }, { weight: 1, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 20 }) }) }), { maxLength: 40 })
  .map((drawn) => {
    let watermark = 0;
    return drawn.map((step, id): Step => ('advance' in step ? { watermark: (watermark += step.advance) } : { id, ...step }));
  });

/** Results in an order of their own. */
export const sortedPairs = (list: readonly Given[]): Given[] => list.toSorted((a, b) => (a.pair[0] ?? -1) - (b.pair[0] ?? -1) || (a.pair[1] ?? -1) - (b.pair[1] ?? -1));
