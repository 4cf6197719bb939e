// Epochs that hold changes of the one before: whatever is put on top of each other is what there was.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import type { StageOp } from '../../../../ts/compiler/physical-plan.ts';
import { KeyedProcessFunction, type LocalEnvironment, MapFunction } from '../../../../ts/index.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../../property-runs.ts';
import { slotsCore } from './slots-core.ts';
import { type Epoch, StageBench } from './stage-bench.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 1000 * PROPERTY_RUNS) });

interface Order {
  readonly key: number;
  readonly to?: number | undefined;
  readonly reads?: boolean;
}

const KEYS = Array.from({ length: 24 }, (_, key) => key);
const keyed = (env: LocalEnvironment) => env.fromCollection<Order>([]).keyBy(({ key }) => key);

/** Keeps what it is told in one state or the other, and a timer for as long. */
class Keep extends KeyedProcessFunction<number, Order, unknown> {
  execute({ key, to, reads }: Order): void {
    const { state, timers } = this.ctx;
    const [even, odd] = [state.value<number>('even'), state.list<number>('odd')];
    const timer = state.value<number>('timer');
    if (reads) return this.collect({ key, even: even.get(), odd: [...odd], timer: timer.get() });
    const before = timer.get();
    if (before !== undefined) timers.cancelProcessingTime(before);
    odd.clear();
    even.set(to !== undefined && to % 2 === 0 ? to : (undefined as never));
    if (to !== undefined && to % 2 === 1) odd.add(to);
    timer.set(to === undefined ? (undefined as never) : 2_000_000 + to);
    if (to !== undefined) timers.processingTime(2_000_000 + to);
  }

  override onTimer(time: number): void {
    this.collect({ key: this.ctx.key, fired: time });
  }
}

class KeepInMap extends MapFunction<Order, unknown> {
  execute({ key, to, reads }: Order): unknown {
    const kept = this.ctx.state.value<number>('kept');
    if (reads) return { key, kept: kept.get() };
    if (to === undefined) kept.clear();
    else kept.set(to);
    return undefined;
  }
}

type Case = readonly [kind: StageOp['kind'], build: (env: LocalEnvironment) => unknown, read: (key: number, value: number | undefined) => unknown];

const cases: Readonly<Record<string, Case>> = {
  'a process function': [
    'keyedProcess',
    (env) => keyed(env).process(Keep).sink([]),
    (key, value) => ({ key, even: value !== undefined && value % 2 === 0 ? value : undefined, odd: value !== undefined && value % 2 === 1 ? [value] : [], timer: value === undefined ? undefined : 2_000_000 + value }),
  ],
  'a function in the middle of a segment': ['map', (env) => keyed(env).map(KeepInMap).sink([]), (key, value) => ({ key, kept: value })],
};

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ key: fc.constantFrom(...KEYS), to: fc.option(fc.nat({ max: 99 }), { nil: undefined, freq: 2 }) }) },
    { weight: 2, arbitrary: fc.record({ isDurable: fc.integer({ min: 0, max: 5 }).map((n) => n > 0) }) },
  ),
  { minLength: 30, maxLength: 90, size: 'max' },
);

describe.each(Object.entries(cases))('given %s whose keys come, change and go', (_, [kind, build, read]) => {
  it('when it goes on from one of the last epochs that are durable, at any parallelism, then each key has what it had then', async () => {
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), async (all, before, after) => {
        const bench = await new StageBench(slotsCore(), 0, build, kind, before, new VirtualClock(1_000_000)).open();
        const model = new Map<number, number | undefined>();
        const epochs: { readonly epoch: Epoch; readonly model: ReadonlyMap<number, number | undefined> }[] = [];
        for (const step of all) {
          if ('isDurable' in step) {
            const epoch = await bench.barrier(step.isDurable);
            if (step.isDurable) epochs.push({ epoch, model: new Map(model) });
          } else {
            model.set(step.key, step.to);
            await bench.do({ input: 0, key: step.key, record: step, at: 0 });
          }
        }
        await bench.abandon();
        changes += bench.changes.length;
        // The last ones are on top of the most.
        for (const { epoch, model: then } of epochs.slice(-3)) {
          const clock = new VirtualClock(1_000_000);
          const fresh = await new StageBench(slotsCore(), 0, build, kind, after, clock, epoch).open();
          for (const key of KEYS) await fresh.do({ input: 0, key, record: { key, reads: true }, at: 0 });
          expect(fresh.results.map(({ record }) => record)).toEqual(KEYS.map((key) => read(key, then.get(key))));
          const shown = fresh.results.length;
          await fresh.do({ passMs: 2_000_000 });
          const fired = fresh.results.slice(shown).map(({ record }) => (record as { fired: number }).fired);
          if (kind === 'keyedProcess') expect(fired.toSorted((a, b) => a - b)).toEqual([...then.values()].filter((value) => value !== undefined).map((value) => 2_000_000 + value).toSorted((a, b) => a - b));
          await fresh.abandon();
        }
      }),
      { numRuns: shareOfRuns(0.1) },
    );
    // Else all of it was whole, and nothing was tried.
    expect(changes).toBeGreaterThan(0);
  });
});
