// Calls in flight that are saved, and made again in fresh instances, as many as before or not.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AsyncCalls } from '../../../../ts/runtime/stage/async-calls.ts';
import type { AsyncSettings } from '../../../../ts/transformations/map-async-transformation.ts';
import { PROPERTY_RUNS } from '../../../property-runs.ts';
import { SavedInstances, instanceOf, ownerOf } from '../checkpoint/saved-instances.ts';
import { bindingsOf, nodeOf } from './stage-node.ts';

const keys = ['a', 'b', 'c', 'd'];
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Given {
  readonly result: unknown;
  readonly key: unknown;
  /** What was said of event time before it left. */
  readonly said: number;
}

/** The operator, with calls that settle when the test says so. */
class Bench {
  readonly calls: AsyncCalls;
  readonly given: Given[] = [];
  readonly begun: unknown[] = [];
  readonly open: { readonly value: number; readonly settle: PromiseWithResolvers<unknown> }[] = [];
  said: number = Number.NEGATIVE_INFINITY;
  readonly #control: { time: number | undefined };

  constructor(settings: Partial<AsyncSettings>, isKeyed: boolean) {
    const fn = (value: unknown): Promise<unknown> => {
      const settle = Promise.withResolvers<unknown>();
      this.begun.push(value);
      this.open.push({ value: value as number, settle });
      return settle.promise;
    };
    const { bindings, control } = bindingsOf(fn);
    this.#control = control;
    const times = { say: (_node: number, watermark: number): void => void (this.said = Math.max(this.said, watermark)) };
    const whole: AsyncSettings = { concurrency: 3, ordered: true, concurrencyPerKey: undefined, timeoutMs: undefined, retry: undefined, ...settings };
    this.calls = new AsyncCalls(nodeOf({ kind: 'mapAsync', fn: {} as never, settings: whole }, undefined, isKeyed), { ...bindings, times } as unknown as typeof bindings, { ready: () => undefined });
  }

  submit(value: number, key: string): void {
    this.#control.time = value;
    this.calls.submit(value, key);
  }

  /** Lets one of the open calls come back; every fifth record gives nothing. */
  async settle(which: number): Promise<void> {
    const [call] = this.open.splice(which % Math.max(1, this.open.length), 1);
    call?.settle.resolve(call.value % 5 === 4 ? undefined : `r${call.value}`);
    await turn();
    this.take();
  }

  take(): void {
    void this.calls.work();
    for (let results = this.calls.takeResults(); results !== undefined; results = this.calls.takeResults()) {
      results.records.forEach((result, n) => this.given.push({ result, key: results.keys?.[n], said: this.said }));
    }
  }

  async finish(): Promise<void> {
    for (this.take(); this.open.length > 0; ) await this.settle(0);
  }
}

const steps = fc.array(
  fc.oneof({ weight: 5, arbitrary: fc.record({ key: fc.constantFrom(...keys) }) }, { weight: 3, arbitrary: fc.record({ settles: fc.nat({ max: 9 }) }) }, { weight: 1, arbitrary: fc.constant({ watermark: true as const }) }),
  { maxLength: 30, size: 'max' },
);
const settingsOf = fc.record({ ordered: fc.boolean(), concurrencyPerKey: fc.constantFrom(undefined, 1), concurrency: fc.constantFrom(2, 4) });

describe.each([true, false])('given calls that are in flight when a checkpoint is taken (behind a keyBy: %s)', (isKeyed) => {
  it('when one to three fresh instances go on, then each record gives its result once, in its order, and no watermark overtakes it', async () => {
    await fc.assert(
      fc.asyncProperty(settingsOf, steps, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.nat({ max: 29 }), async (settings, all, before, then, after) => {
        let benches = Array.from({ length: before }, () => new Bench(settings, isKeyed));
        const every = [...benches];
        const sent: { readonly value: number; readonly key: string }[] = [];
        for (const [n, step] of all.entries()) {
          if (n === after) {
            const saved = new SavedInstances();
            benches.forEach(({ calls }, at) => {
              const owner = ownerOf(at, before);
              saved.save(calls.stateParts(owner), owner);
            });
            benches = Array.from({ length: then }, (_, at) => {
              const bench = new Bench(settings, isKeyed);
              const owner = ownerOf(at, then);
              saved.restore(bench.calls.stateParts(owner), owner);
              expect(bench.begun).toEqual([]);
              bench.take();
              return bench;
            });
            every.push(...benches);
          }
          if ('key' in step) {
            const bench = benches[isKeyed ? instanceOf(step.key, benches.length) : n % benches.length]!;
            bench.submit(n, step.key);
            sent.push({ value: n, key: step.key });
          } else if ('settles' in step) for (const bench of benches) await bench.settle(step.settles);
          else for (const bench of benches) bench.calls.timeChanged({ watermark: n, isIdle: false });
          for (const bench of benches) bench.take();
        }
        for (const bench of benches) await bench.finish();
        const given = every.flatMap((bench) => bench.given);
        const expected = sent.filter(({ value }) => value % 5 !== 4).map(({ value, key }) => ({ result: `r${value}`, key }));
        const sorted = <T extends { readonly result: unknown }>(list: readonly T[]): T[] => list.toSorted((a, b) => Number((a.result as string).slice(1)) - Number((b.result as string).slice(1)));
        expect(sorted(given.map(({ result, key }) => ({ result, key })))).toEqual(expected);
        for (const { result, said } of given) expect(Number((result as string).slice(1))).toBeGreaterThan(said);
        // In order: of one instance; where keys stay together, of each key.
        if (settings.ordered || (settings.concurrencyPerKey === 1 && isKeyed)) {
          for (const key of keys) {
            const own = isKeyed ? given.filter((one) => one.key === key) : [];
            expect(own.map(({ result }) => result)).toEqual(sorted(own).map(({ result }) => result));
          }
        }
        if (settings.ordered && before === 1 && then === 1) expect(given.map(({ result }) => result)).toEqual(expected.map(({ result }) => result));
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });
});

describe('given two calls in order of which the second one has come back', () => {
  it('when they go on from a checkpoint, then its result is kept, and only the first one is called again', async () => {
    const bench = new Bench({}, false);
    bench.submit(1, 'a');
    bench.submit(2, 'a');
    await bench.settle(1);
    expect(bench.given).toEqual([]);
    const owner = ownerOf(0, 1);
    const saved = new SavedInstances();
    saved.save(bench.calls.stateParts(owner), owner);
    const next = new Bench({}, false);
    saved.restore(next.calls.stateParts(owner), owner);
    next.take();
    expect([next.begun, next.calls.isFull]).toEqual([[1], false]);
    await next.finish();
    expect(next.given.map(({ result }) => result)).toEqual(['r1', 'r2']);
  });

  it('when an attempt waits for its next one, then it is saved, and all attempts begin anew', async () => {
    const { bindings } = bindingsOf(() => Promise.reject(new Error('no')));
    const settings: AsyncSettings = { concurrency: 2, ordered: false, concurrencyPerKey: undefined, timeoutMs: undefined, retry: { retry: 5, backoffMs: 1000 } };
    const make = (from: typeof bindings): AsyncCalls => new AsyncCalls(nodeOf({ kind: 'mapAsync', fn: {} as never, settings }), from, { ready: () => undefined });
    const calls = make({ ...bindings, wait: () => new Promise<void>(() => undefined) });
    calls.submit('x', undefined);
    await turn();
    const owner = ownerOf(0, 1);
    const saved = new SavedInstances();
    saved.save(calls.stateParts(owner), owner);
    const attempts: number[] = [];
    const next = make({ ...bindings, functions: [(value: unknown, { attempt }: { readonly attempt: number }) => (attempts.push(attempt), value)] });
    saved.restore(next.stateParts(owner), owner);
    void next.work();
    expect([attempts, next.takeResults()?.records]).toEqual([[1], ['x']]);
  });
});
