// What JavaScript keeps of windows, when the core gives them other numbers behind a restore.
import { describe, expect, it } from 'vitest';

import type { SourceLocation } from '../../../../ts/common/source-location.ts';
import { EntryReader } from '../../../../ts/runtime/checkpoint/entry-reader.ts';
import { EntryWriter } from '../../../../ts/runtime/checkpoint/entry-writer.ts';
import type { KeyedStatePart } from '../../../../ts/runtime/checkpoint/state-part.ts';
import { KeyBytesWriter, readKey } from '../../../../ts/runtime/codec/key-bytes.ts';
import type { ChangedAccumulators, KeyAccumulators } from '../../../../ts/runtime/stage/core-windows.ts';
import { WindowProgram } from '../../../../ts/runtime/stage/window-program.ts';
import { windowValuesPart } from '../../../../ts/runtime/stage/window-values-part.ts';
import { AggregatedValues, ElementValues, ReducedValues, type WindowValues } from '../../../../ts/runtime/stage/window-values.ts';
import { WindowTriggers } from '../../../../ts/runtime/stage/window-triggers.ts';
import type { CustomTrigger } from '../../../../ts/index.ts';
import { count } from '../../../../ts/index.ts';
import { SavedInstances, fillGroups, instanceOf, ownerOf } from './saved-instances.ts';
import { slotsCore } from './slots-core.ts';

const bytesOf = (key: unknown): Buffer => {
  const writer = new KeyBytesWriter();
  writer.write(key);
  return Buffer.from(writer.bytes());
};

interface Shown {
  readonly key: unknown;
  readonly result: unknown;
  readonly start: number;
}

/** Fires when it has met two records, and at a time that it asks for. */
const trigger: CustomTrigger<unknown, { n: number }> = {
  init: () => ({ n: 0 }),
  onElement: (_record, _window, ctx) => {
    ctx.state = { n: ctx.state.n + 1 };
    ctx.timers.eventTime(50);
    ctx.timers.atEnd();
    return ctx.state.n % 2 === 0 ? 'fire' : 'continue';
  },
  onEventTime: () => 'fire',
};

/** The windows of one instance, as the core lists them. */
class Windows {
  readonly listed: KeyAccumulators[] = [];
  /** What the core says of what it has saved last. */
  changed: readonly ChangedAccumulators[] | undefined;
  readonly shown: Shown[] = [];
  readonly values: WindowValues;
  readonly program: WindowProgram;

  constructor(values: WindowValues, hasTrigger = false) {
    this.values = values;
    const core = slotsCore();
    const host = { trigger: trigger as never, operator: 'tested', declaredAt: {} as SourceLocation, hasEventTime: true, discards: false, allowedLatenessMs: 0, count: () => undefined, failed: (error: unknown) => error as Error };
    this.program = new WindowProgram(
      values,
      { emit: (result, { key, start }) => this.shown.push({ key, result, start }), recover: (error) => { throw error; } },
      hasTrigger ? (own, program) => new WindowTriggers(core, 0, own, { ...host, ...program }) : undefined,
    );
  }

  /** A key has windows, whose accumulators have these numbers. */
  list(key: unknown, slot: number, accs: readonly number[]): void {
    this.listed.push({ key: bytesOf(key), slot, accumulators: accs.map((acc, n) => ({ acc, start: 10 * n, end: 10 * n + 100 })) });
  }

  part(instance: number, parallelism: number) {
    return windowValuesPart(ownerOf(instance, parallelism), { windows: { accumulators: () => this.listed.values() as Generator<KeyAccumulators>, changedAccumulators: () => this.changed }, values: this.values, program: this.program, keyed: true });
  }
}

const kinds: Readonly<Record<string, readonly [make: () => WindowValues, records: (values: WindowValues, acc: number) => unknown]>> = {
  'a reduce': [() => new ReducedValues((a, b) => (a as number) + (b as number)), (values, acc) => values.result(Int32Array.of(acc), { key: 'k', start: 0, end: 1 })],
  aggregates: [() => new AggregatedValues({ n: count(), all: { init: () => [] as unknown[], add: (a: unknown[], r: unknown) => [...a, r], merge: (a: unknown[], b: unknown[]) => [...a, ...b], result: (a: unknown[]) => a } as never }, true, () => undefined), (values, acc) => values.result(Int32Array.of(acc), { key: 'k', start: 0, end: 1 })],
  elements: [() => new ElementValues(true), (values, acc) => values.result(Int32Array.of(acc), { key: 'k', start: 0, end: 1 })],
};

describe.each(Object.entries(kinds))('given what windows hold of %s', (_name, [make, resultOf]) => {
  it('when the core numbers windows anew, in two instances, then each holds what it did, takes more, and one without records is still empty', () => {
    const old = new Windows(make());
    const keys = ['a', 'b', 'c', 'd'];
    keys.forEach((key, n) => {
      old.list(key, n, [2 * n + 1, 2 * n + 2]);
      for (const acc of [2 * n + 1, 2 * n + 2]) old.values.init(acc);
      for (const record of [n, 10 + n]) old.values.add(2 * n + 1, record);
    });
    const saved = new SavedInstances();
    saved.save([old.part(0, 1)], ownerOf(0, 1));
    const next = [0, 1].map((instance) => {
      const windows = new Windows(make());
      keys.filter((key) => instanceOf(key, 2) === instance).forEach((key, n) => windows.list(key, n + 5, [90 - 2 * n, 91 - 2 * n]));
      saved.restore([windows.part(instance, 2)], ownerOf(instance, 2));
      return windows;
    });
    keys.forEach((key, n) => {
      const windows = next[instanceOf(key, 2)]!;
      const { accumulators } = windows.listed.find((one) => one.key.equals(bytesOf(key)))!;
      const [first, second] = accumulators.map(({ acc }) => acc) as [number, number];
      expect(resultOf(windows.values, first)).toEqual(resultOf(old.values, 2 * n + 1));
      expect([windows.values.isEmpty(first), windows.values.isEmpty(second)]).toEqual([false, true]);
      old.values.add(2 * n + 1, 99);
      windows.values.add(first, 99);
      expect(resultOf(windows.values, first)).toEqual(resultOf(old.values, 2 * n + 1));
    });
  });
});

describe('given windows of which the core says what has changed', () => {
  const filled = (hasTrigger: boolean): Windows => {
    const windows = new Windows(new ElementValues(true), hasTrigger);
    ['a', 'b', 'c', 'd'].forEach((key, n) => {
      windows.list(key, n, [n + 1]);
      windows.values.init(n + 1);
    });
    windows.changed = [{ key: bytesOf('a') }, windows.listed[1]!];
    windows.values.add(2, 'x');
    return windows;
  };
  const changesOf = (windows: Windows): readonly (readonly [unknown, number])[] | undefined => {
    const writer = new EntryWriter(fillGroups);
    const part = windows.part(0, 1) as KeyedStatePart;
    if (!part.saveChanges!(writer)) return undefined;
    return [...new EntryReader(Buffer.from(writer.finish())).changes()].map(({ key, value }) => [readKey(key, 0, key.length), value === undefined ? 0 : 1]);
  };

  it('when an epoch is on top of one, then keys that have no windows go, and those that have some come', () => {
    expect(changesOf(filled(false))).toEqual([['a', 0], ['b', 1]]);
  });

  it('when the core has saved everything, then all is saved here', () => {
    const windows = filled(false);
    windows.changed = undefined;
    expect(changesOf(windows)).toBeUndefined();
  });

  it('when a trigger of the user may have changed anything, then all is saved', () => {
    expect(changesOf(filled(true))).toBeUndefined();
  });
});

describe('given windows with a trigger of the user', () => {
  it('when they are restored, then its state goes on, and its timers fire in their windows, in their order', () => {
    const old = new Windows(new ElementValues(true), true);
    old.list('a', 0, [1]);
    old.list('b', 1, [2]);
    const words = (...list: number[]) => ({ words: Int32Array.from(list), windows: Float64Array.of(0, 100) });
    old.program.load(words(1, 0, 0, 1, 1, 1, 3, 1, 9, 1, 0, 0, 3, 2, 9, 2, 1, 0, 4, 2, 0, 1, 1, 2), { keys: ['a', 'b'], records: ['x', 'y'] });
    old.program.run(100);
    old.program.triggers!.flush();
    expect(old.shown).toEqual([]);
    const saved = new SavedInstances();
    saved.save([old.part(0, 1)], ownerOf(0, 1));

    const next = new Windows(new ElementValues(true), true);
    next.list('a', 3, [7]);
    next.list('b', 4, [6]);
    saved.restore([next.part(0, 1)], ownerOf(0, 1));
    next.program.load(words(4, 1, 0, 7), { keys: ['a'], records: ['z'] });
    next.program.run(100);
    expect(next.shown.map(({ key, result }) => [key, (result as { elements: unknown }).elements])).toEqual([['a', ['x', 'z']]]);
    next.program.triggers!.advance(60, 0);
    next.program.run(100);
    expect(next.shown.slice(1).map(({ key, start }) => [key, start])).toEqual([['a', 0], ['b', 0]]);
    next.program.triggers!.advance(100, 0);
    next.program.run(100);
    expect(next.shown.slice(3).map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('when what is listed is of other windows, then that is an error', () => {
    const old = new Windows(new ElementValues(true));
    old.list('a', 0, [1]);
    old.values.init(1);
    const saved = new SavedInstances();
    saved.save([old.part(0, 1)], ownerOf(0, 1));
    const next = new Windows(new ElementValues(true));
    next.list('a', 0, [1, 2]);
    expect(() => saved.restore([next.part(0, 1)], ownerOf(0, 1))).toThrow(expect.objectContaining({ code: 'SAGE_INTERNAL' }));
  });
});
