import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { exported, outcomeOf } from './support/binding.ts';
import { imageOf, tinyGraph } from './support/tiny-job.ts';

/** Outcomes of `windowsTake`. */
const [NOTHING, RESULTS, PROGRAM, LATE, DONE, TOO_SMALL] = [0, 1, 2, 3, 4, -2];
/** Instructions of a program: `docs/internals/windows.md`. */
const [KEY, DROP, INIT, ADD, MERGE, EMIT, EMIT_PANES, FREE] = [1, 2, 3, 4, 5, 6, 7, 8];

interface Row {
  readonly key: number;
  readonly time: number;
  readonly value: number;
}
interface Result {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly sum: number;
}

const doubles = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
const call = (name: string, ...args: unknown[]): number => exported[name]!(...args) as number;

let job: number;
let layout: number;

beforeAll(() => {
  job = call('createJob', tinyGraph());
  layout = call('internLayout', job, '{"key":"f64","time":"f64","row":{"tup":["f64"]}}');
});
afterAll(() => void exported['dropJob']!(job));

const imageOfRows = (rows: readonly Row[]): Uint8Array => imageOf(rows.length, layout, [doubles(rows.map(({ key }) => key)), doubles(rows.map(({ time }) => time)), doubles(rows.map(({ value }) => value))]);

/** Tumbling windows of 10 ms by plain JavaScript: all rows, then a watermark after each batch, then the end. */
function byHand(batches: readonly (readonly Row[])[]): Result[] {
  const open = new Map<number, Map<number, { count: number; sum: number }>>();
  const results: Result[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  const fire = (): void => {
    for (const start of [...open.keys()].toSorted((a, b) => a - b)) {
      if (start + 10 > watermark) return;
      for (const [key, state] of [...open.get(start)!].toSorted(([a], [b]) => firstSeen.get(a)! - firstSeen.get(b)!)) results.push({ key, start, end: start + 10, ...state });
      open.delete(start);
      for (const key of firstSeen.keys()) if (![...open.values()].some((keys) => keys.has(key))) firstSeen.delete(key);
    }
  };
  const firstSeen = new Map<number, number>();
  let seen = 0;
  for (const batch of batches) {
    for (const { key, time, value } of batch) {
      const start = Math.floor(time / 10) * 10;
      if (start + 10 <= watermark) continue;
      if (!firstSeen.has(key)) firstSeen.set(key, seen++);
      if (!open.has(start)) open.set(start, new Map());
      const state = open.get(start)!.get(key) ?? { count: 0, sum: 0 };
      open.get(start)!.set(key, { count: state.count + 1, sum: state.sum + value });
    }
    watermark = Math.max(watermark, ...batch.map(({ time }) => time - 8));
    fire();
  }
  watermark = Number.POSITIVE_INFINITY;
  fire();
  return results;
}

/** What is taken of windows. */
interface Taken {
  readonly into: Uint8Array;
  /** Bytes, and words of a program or late rows. */
  readonly desc: Int32Array;
}

/** Runs batches through windows; `take` has results and programs, with the rows of the batch. Numbers of late rows, and what was counted at last. */
function run(handle: number, batches: readonly (readonly Row[])[], take: (taken: Taken, batch: readonly Row[]) => void): { late: number[]; counts: number[] } {
  const late: number[] = [];
  const [desc, counts] = [new Int32Array(2), new Float64Array(4)];
  let into = new Uint8Array(8);
  let first = 0;
  const takeAll = (batch: readonly Row[]): void => {
    for (;;) {
      const kind = call('windowsTake', handle, true, into, desc, counts);
      if (kind === NOTHING) return;
      if (kind === TOO_SMALL) into = new Uint8Array(Math.ceil(desc[0]! / 8) * 8);
      else if (kind === LATE) late.push(...[...new Int32Array(into.buffer, 0, desc[1])].map((row) => first + row));
      else if (kind === RESULTS || kind === PROGRAM) take({ into, desc }, batch);
      else expect(kind).toBe(DONE);
    }
  };
  let watermark = Number.NEGATIVE_INFINITY;
  for (const batch of batches) {
    call('windowsGive', handle, imageOfRows(batch), 0);
    takeAll(batch);
    first += batch.length;
    watermark = Math.max(watermark, ...batch.map(({ time }) => time - 8));
    call('windowsAdvance', handle, watermark, 0);
    takeAll([]);
  }
  call('windowsFinish', handle);
  takeAll([]);
  return { late, counts: [...counts] };
}

function native(batches: readonly (readonly Row[])[]): { results: Result[]; late: number[] } {
  const handle = call('windowsCreate', job, '{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":10},"aggregates":[{"kind":"count"},{"kind":"sum","input":0}]}', true);
  const results: Result[] = [];
  const { late } = run(handle, batches, ({ into }) => {
    const header = new Int32Array(into.buffer, 0, 14);
    const rows = header[0]!;
    const column = (at: number): Float64Array => new Float64Array(into.buffer, header[4 + 2 * at], rows);
    const [keys, starts, ends, counts, sums] = [0, 1, 2, 3, 4].map(column) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    for (let row = 0; row < rows; row++) results.push({ key: keys[row]!, start: starts[row]!, end: ends[row]!, count: counts[row]!, sum: sums[row]! });
  });
  exported['stateDrop']!(handle);
  return { results, late };
}

/** The accumulators of JavaScript: arrays by number. */
function recorded(batches: readonly (readonly Row[])[], elements: boolean): { results: Result[]; late: number[] } {
  const handle = call('windowsCreate', job, `{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":10},"elements":${elements}}`, true);
  const results: Result[] = [];
  const keys: (number | undefined)[] = [];
  const accumulators: (number[] | undefined)[] = [];
  const { late } = run(handle, batches, ({ into, desc }, batch) => {
    const words = new Int32Array(into.buffer, 0, desc[1]);
    const windows = new Float64Array(into.buffer, Math.ceil(desc[1]! / 2) * 8);
    const emit = (values: readonly number[], slot: number, window: number): void =>
      void results.push({ key: keys[slot]!, start: windows[2 * window]!, end: windows[2 * window + 1]!, count: values.length, sum: values.reduce((a, b) => a + b, 0) });
    const actions: Readonly<Record<number, (next: () => number) => void>> = {
      [KEY!]: (next) => void (keys[next()] = batch[next()]!.key),
      [DROP!]: (next) => void (keys[next()] = undefined),
      [INIT!]: (next) => void (accumulators[next()] = []),
      [ADD!]: (next) => {
        for (let n = next(); n > 0; n--) {
          const row = next();
          accumulators[next()]!.push(batch[row]!.value);
        }
      },
      [MERGE!]: (next) => void accumulators[next()]!.push(...accumulators[next()]!),
      [EMIT!]: (next) => emit(accumulators[next()]!, next(), next()),
      [EMIT_PANES!]: (next) => {
        const [slot, window] = [next(), next()];
        emit(Array.from({ length: next() }, () => accumulators[next()]!).flat(), slot, window);
      },
      [FREE!]: (next) => void (accumulators[next()] = undefined),
    };
    for (let at = 0; at < words.length; ) actions[words[at++]!]!(() => words[at++]!);
  });
  expect(accumulators.filter((accumulator) => accumulator !== undefined)).toEqual([]);
  expect(keys.filter((key) => key !== undefined)).toEqual([]);
  exported['stateDrop']!(handle);
  return { results, late };
}

describe('windows', () => {
  it('given random rows in random batches, the core and programs give what plain JavaScript gives', () => {
    const row = fc.record({ key: fc.integer({ min: 0, max: 3 }), time: fc.integer({ min: -40, max: 80 }), value: fc.integer({ min: -9, max: 9 }) });
    fc.assert(
      fc.property(fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), { maxLength: 12 }), (batches) => {
        const expected = byHand(batches);
        const { results, late } = native(batches);
        expect(results).toEqual(expected);
        expect(recorded(batches, false)).toEqual({ results: expected, late });
        expect(recorded(batches, true)).toEqual({ results: expected, late });
        expect(results.reduce((rows, { count }) => rows + count, 0) + late.length).toBe(batches.flat().length);
      }),
    );
  });

  it('given late rows and gaps counts them, and says how many keys there are', () => {
    const handle = call('windowsCreate', job, '{"keyed":true,"time":"event","assigner":{"kind":"sliding","sizeMs":1,"slideMs":10},"aggregates":[]}', false);
    const rows = [0, 5, 20].map((time) => ({ key: 1, time, value: 0 }));
    const { counts } = run(handle, [rows.slice(0, 2), rows.slice(2), rows.slice(0, 1)], () => undefined);
    expect(counts).toEqual([1, 1, 0, Number.POSITIVE_INFINITY]);
    expect(call('windowsBytes', handle)).toBeGreaterThan(0);
    exported['stateDrop']!(handle);
  });

  it('given what does not fit says so and loses nothing', () => {
    const handle = call('windowsCreate', job, '{"keyed":true,"time":"event","assigner":{"kind":"global"}}', false);
    const [into, desc, counts] = [new Uint8Array(400), new Int32Array(2), new Float64Array(4)];
    expect(call('windowsGive', handle, imageOfRows([{ key: 1, time: 0, value: 2 }]), 0)).toBe(2);
    expect(outcomeOf('windowsTake', [handle, false, into, new Int32Array(1), counts])).toMatchObject({ code: 'SAGE_INTERNAL', message: expect.stringContaining('2 integers') as string });
    expect(outcomeOf('windowsTake', [handle, false, new Uint8Array(desc.buffer), desc, counts])).toMatchObject({ code: 'SAGE_INTERNAL', message: expect.stringContaining('overlap') as string });
    expect(call('windowsTake', handle, false, new Uint8Array(4), desc, counts)).toBe(TOO_SMALL);
    expect(call('windowsTake', handle, false, into, desc, counts)).toBe(PROGRAM);
    expect([...new Int32Array(into.buffer, 0, desc[1])]).toEqual([KEY, 0, 0, INIT, 1, ADD, 1, 0, 1]);
    expect(call('windowsTake', handle, false, into, desc, counts)).toBe(DONE);
    expect(call('windowsTake', handle, false, into, desc, counts)).toBe(NOTHING);
    expect(call('windowsTake', handle, true, into, desc, counts)).toBe(NOTHING);
    expect(outcomeOf('slotsFor', [handle, imageOfRows([]), new Int32Array(2)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    exported['stateDrop']!(handle);
    expect(outcomeOf('windowsAdvance', [handle, 0, 0])).toMatchObject({ code: 'SAGE_INTERNAL' });
  });

  it.each([
    ['a time that no date can have', (): Uint8Array => imageOfRows([{ key: 1, time: Number.NaN, value: 2 }]), 'row 0'],
    ['a batch that is none', (): Uint8Array => new Uint8Array(8), ''],
  ])('given %s says so', (_what, image, message) => {
    const handle = call('windowsCreate', job, '{"keyed":true,"time":"event","assigner":{"kind":"tumbling","sizeMs":1},"aggregates":[]}', false);
    expect(outcomeOf('windowsGive', [handle, image(), 0])).toMatchObject({ code: expect.stringMatching(/^SAGE_/) as string, message: expect.stringContaining(message) as string });
    exported['stateDrop']!(handle);
  });
});

describe('timers', () => {
  it('become due by time, those of one time in the order in which they were registered', () => {
    const handle = call('timersCreate', job);
    expect(call('timersNext', handle)).toBe(Number.POSITIVE_INFINITY);
    expect(call('timersRegister', handle, Float64Array.of(5, 3, 5, 3, -1), Int32Array.of(1, 2, 0, 2, 7))).toBe(4);
    expect(call('timersRegister', handle, Float64Array.of(8, 9), Int32Array.of(4, 4))).toBe(6);
    expect(call('timersCancel', handle, Float64Array.of(3, 100), Int32Array.of(2, 2))).toBe(5);
    const held = Int32Array.of(1, 2, 0, 7, 4, -1);
    expect(call('timersHeld', handle, held)).toBe(5);
    expect([...held]).toEqual([1, 0, 1, 1, 1, 0]);
    expect(call('timersCancelAll', handle, 4)).toBe(3);
    const [times, ids] = [new Float64Array(2), new Int32Array(2)];
    expect(call('timersNext', handle)).toBe(-1);
    expect(call('timersDue', handle, 5, times, ids)).toBe(2);
    expect([...times, ...ids]).toEqual([-1, 5, 7, 1]);
    expect(call('timersDue', handle, 4.9, times, ids)).toBe(0);
    expect(call('timersDue', handle, 5, times, ids)).toBe(1);
    expect([times[0], ids[0], call('timersNext', handle)]).toEqual([5, 0, Number.POSITIVE_INFINITY]);
    for (const args of [[Float64Array.of(1), new Int32Array(0)], [Float64Array.of(Number.NaN), Int32Array.of(1)], [Float64Array.of(1), Int32Array.of(-1)]]) {
      expect(outcomeOf('timersRegister', [handle, ...args])).toMatchObject({ code: 'SAGE_INTERNAL' });
    }
    exported['stateDrop']!(handle);
  });
});
