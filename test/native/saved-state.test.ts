import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EntryReader } from '../../ts/runtime/checkpoint/entry-reader.ts';
import { EntryWriter } from '../../ts/runtime/checkpoint/entry-writer.ts';
import { shareOfRuns } from '../property-runs.ts';
import { outcomeOf } from './support/binding.ts';
import { canonicalKey, core, keysImage, StateOwner } from './support/state-owner.ts';
import { NUMBER_LAYOUT, RECEIVER, SENDER, imageOf, numberImage, tinyGraph } from './support/tiny-job.ts';

// What the core holds, as bytes and back (`docs/internals/keyed-state.md` and `windows.md`, "Checkpoints"), and bytes that are none of it.

const AGGREGATORS = '[{"kind":"count"},{"kind":"sum","input":0}]';
const WINDOWS = JSON.stringify({ keyed: true, time: 'event', assigner: { kind: 'sliding', sizeMs: 30, slideMs: 10 }, aggregates: JSON.parse(AGGREGATORS) as unknown });
const PROGRAM = JSON.stringify({ keyed: true, time: 'event', assigner: { kind: 'session', gapMs: 5 } });
const STATES = [{ name: 'a' }, { name: 'b', ttlMs: 50 }];
/** Outcomes of `windowsTake`. */
const [NOTHING, RESULTS, TOO_SMALL] = [0, 1, -2];
/** What may be said of bytes that make no sense, or that come to state which is not new any more. */
const REFUSED = /^SAGE_(CHECKPOINT_DAMAGED|CHECKPOINT_VERSION|FORMAT_BATCH|LIMIT_\w+|STATE_\w+|INTERNAL)$/;

let job: number;
let directory: string;

beforeEach(() => {
  job = core.createJob(tinyGraph());
  directory = mkdtempSync(join(tmpdir(), 'sage-saved-state-'));
});
afterEach(() => {
  core.dropJob(job);
  rmSync(directory, { recursive: true, force: true });
});

const doubles = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
const copyOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

/** Keys, each with itself as the input. */
function keyedImage(keys: readonly number[]): Uint8Array {
  return imageOf(keys.length, core.internLayout(job, '{"key":"f64","row":{"tup":["f64"]}}'), [doubles(keys), doubles(keys)]);
}

/** Keys and times, each with its key as the input. */
function timedImage(rows: readonly (readonly [key: number, time: number])[]): Uint8Array {
  const keys = doubles(rows.map(([key]) => key));
  return imageOf(rows.length, core.internLayout(job, '{"key":"f64","time":"f64","row":{"tup":["f64"]}}'), [keys, doubles(rows.map(([, time]) => time)), keys]);
}

/** An aggregate of two keys: its keys, counts and sums. */
function aggregateOf(keys: readonly number[]): number {
  const handle = core.aggregateCreate(job, AGGREGATORS);
  if (keys.length > 0) core.aggregateUpdate(handle, keyedImage(keys));
  return handle;
}

function drained(handle: number): number[] {
  const [into, desc] = [new Uint8Array(1024), new Int32Array(4)];
  expect(core.aggregateDrain(handle, 0, 100, into, desc)).toBe(-1);
  const rows = desc[2]!;
  const words = new Int32Array(into.buffer);
  return Array.from({ length: 3 }, (_, column) => [...new Float64Array(into.buffer, words[4 + 2 * column], rows)]).flat();
}

/** Everything that is there now. */
function takeAll(handle: number): Uint8Array[] {
  const [desc, counts] = [new Int32Array(2), new Float64Array(4)];
  let into = new Uint8Array(64);
  const results: Uint8Array[] = [];
  for (;;) {
    const kind = core.windowsTake(handle, true, into, desc, counts);
    if (kind === NOTHING) return results;
    if (kind === TOO_SMALL) into = new Uint8Array(Math.ceil(desc[0]! / 8) * 8);
    else if (kind === RESULTS) results.push(into.slice(0, desc[0]));
  }
}

function windowsOf(spec: string, rows: readonly (readonly [key: number, time: number])[]): number {
  const handle = core.windowsCreate(job, spec, false);
  if (rows.length > 0) core.windowsGive(handle, timedImage(rows), 0);
  takeAll(handle);
  return handle;
}

function entriesOf(...entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Uint8Array {
  const writer = new EntryWriter((bytes) => core.keyGroupsFill(128, bytes));
  for (const [key, value] of entries) writer.put(key, value);
  return Uint8Array.from(writer.finish());
}

describe('state of the core', () => {
  it('of an aggregate goes on in another one', () => {
    const before = aggregateOf([1, 2, 1, 3]);
    const after = aggregateOf([]);

    core.stateRestoreOwn(after, core.stateSaveOwn(before));
    core.stateRestore(after, core.stateSave(before));

    for (const handle of [before, after]) core.aggregateUpdate(handle, keyedImage([3, 4, 1]));
    expect(drained(after)).toEqual(drained(before));
    expect(drained(after)).toEqual([1, 2, 3, 4, 3, 1, 2, 1, 3, 2, 6, 4]);
  });

  it('of windows goes on in others', () => {
    const before = windowsOf(WINDOWS, [[1, 5], [2, 12], [1, 17]]);
    const after = windowsOf(WINDOWS, []);

    core.stateRestoreOwn(after, core.stateSaveOwn(before));
    core.stateRestore(after, core.stateSave(before));

    const results = [before, after].map((handle) => {
      core.windowsGive(handle, timedImage([[2, 19], [3, 41]]), 0);
      core.windowsFinish(handle);
      return takeAll(handle);
    });
    expect(results[1]).toEqual(results[0]);
    expect(results[0]!.length).toBeGreaterThan(0);
  });

  it('is handed over in memory that is not its own', () => {
    const handle = aggregateOf([1, 2]);
    const [first, second] = [core.stateSave(handle), core.stateSave(handle)];
    expect(first.buffer).not.toBe(second.buffer);
    expect([first.byteOffset, first.byteLength]).toEqual([0, first.buffer.byteLength]);
    first.fill(0xff);
    expect(core.stateSave(handle)).toEqual(second);
    // It stays when the state has gone.
    const kept = copyOf(second);
    core.stateDrop(handle);
    expect(copyOf(second)).toEqual(kept);
  });

  it('of nothing is empty', () => {
    const slots = core.slotsCreate(job);
    for (const handle of [aggregateOf([]), windowsOf(WINDOWS, []), slots]) expect(core.stateSave(handle)).toEqual(new Uint8Array(0));
    expect(core.slotsKeys(slots, Int32Array.of(0, 1))).toEqual(new Uint8Array(0));
    expect(core.slotsRestore(slots, new Uint8Array(0))).toEqual(new Int32Array(0));
    expect(core.timersAll(core.timersCreate(job))).toEqual(new Float64Array(0));
    expect(core.windowsAccumulators(windowsOf(PROGRAM, []))).toEqual(new Uint8Array(0));
  });

  it('of slots is their keys, which get new ones', () => {
    const before = core.slotsCreate(job);
    core.slotsFor(before, keysImage(job, ['a', 'b', 'c']), new Int32Array(3));
    core.slotsFree(before, Int32Array.of(0));
    const saved = core.slotsKeys(before, Int32Array.of(0, 2, 1, -1, 7));
    const after = core.slotsCreate(job);

    const slots = core.slotsRestore(after, saved);

    const keys = [...new EntryReader(copyOf(saved))].map(({ key }) => key.subarray(1).toString());
    expect(keys).toEqual(['c', 'b']);
    const found = new Int32Array(2);
    core.slotsFor(after, keysImage(job, keys), found);
    expect(found).toEqual(slots);
  });

  it('of timers is all of them as they become due, with the numbers of their registration', () => {
    const handle = core.timersCreate(job);
    core.timersRegister(handle, Float64Array.of(30, 10, 10, 20), Int32Array.of(1, 7, 2, 3));
    expect([...core.timersAll(handle)]).toEqual([10, 7, 1, 10, 2, 2, 20, 3, 3, 30, 1, 0]);
  });

  it('of functions in memory is keys with slots, and their values are who has them', () => {
    const before = new StateOwner(job, { states: STATES });
    before.batch(1000, [{ key: 'x', state: 1, value: 'one' }, { key: 'y', state: 0, value: 'two' }]);
    const slotOf = ({ value }: { value: Buffer }): number => value.readUInt32LE(0);
    const [inState, inAny] = [1, -1].map((state) => [...new EntryReader(copyOf(core.keyedStateKeys(before.handle, 1000, state)))]);
    expect(inState!.map((entry) => [entry.key.subarray(1).toString(), before.values[slotOf(entry)]![1], entry.value.readBigUInt64LE(4)])).toEqual([['x', 'one', 1050n]]);
    expect(inAny!.map(({ key }) => key.subarray(1).toString())).toEqual(['x', 'y']);

    const after = new StateOwner(job, { states: STATES });
    const expires = Buffer.alloc(8);
    expires.writeBigUInt64LE(1050n);
    const entries = entriesOf([canonicalKey('x'), Buffer.concat([expires, Buffer.from('one')])]);
    expect([...core.keyedStateRestore(after.handle, 1000, 1, entries)]).toEqual([0]);
    expect([...core.keyedStateRestore(new StateOwner(job, { states: STATES }).handle, 1050, 1, entries)]).toEqual([-1]);
    after.values[0] = [undefined, 'one'];
    expect(after.batch(1049, [{ key: 'x', state: 1, reads: true }])).toEqual([[undefined, 'one']]);
    expect(after.batch(1050, [{ key: 'x', state: 1, reads: true }])).toEqual([[undefined, undefined]]);
  });

  it('of functions on disk is their values, once the store has them', () => {
    const spec = { states: STATES, disk: { operator: 1, budgetBytes: 1_000_000, directory } };
    const before = new StateOwner(job, spec);
    before.batch(0, [{ key: 'x', state: 0, value: 'one' }]);
    expect(outcomeOf('keyedStateEntries', [before.handle, 0, 0, 0, 1])).toMatchObject({ code: 'SAGE_INTERNAL' });
    core.keyedStateStore(before.handle, Int32Array.of(0, 0), Int32Array.of(3), Buffer.from('one'));

    const saved = core.keyedStateEntries(before.handle, 0, 0, 0, 1);

    const after = new StateOwner(job, { ...spec, disk: { ...spec.disk, operator: 2 } });
    expect([...core.keyedStateRestore(after.handle, 0, 0, saved)]).toEqual([-1]);
    expect(after.batch(0, [{ key: 'x', state: 0, reads: true }])).toEqual([['one', undefined]]);
  });

  it('that keys have to be held for is begun with them', () => {
    const owner = new StateOwner(job, { states: STATES });
    const [entries, slots] = [entriesOf([canonicalKey('x'), new Uint8Array(0)], [canonicalKey('y'), new Uint8Array(0)]), new Int32Array(2)];
    owner.exchange(core.keyedStateBeginKeys(owner.handle, 0, entries, slots));
    core.keyedStateHold(owner.handle, slots, true);
    core.keyedStateFinish(owner.handle, 0, new Int32Array(0), new Int32Array(0), new Uint8Array(0));
    expect([...new EntryReader(copyOf(core.keyedStateKeys(owner.handle, 0, -1)))].map(({ key }) => key.subarray(1).toString())).toEqual(['x', 'y']);
  });
});

/** A handle of each kind, with something in it. */
function handles(): Record<'aggregate' | 'slots' | 'windows' | 'program' | 'timers' | 'states' | 'disk', number> {
  const slots = core.slotsCreate(job);
  core.slotsFor(slots, keysImage(job, ['a']), new Int32Array(1));
  const timers = core.timersCreate(job);
  core.timersRegister(timers, Float64Array.of(1), Int32Array.of(0));
  const states = new StateOwner(job, { states: STATES });
  states.batch(0, [{ key: 'x', state: 0, value: 'one' }]);
  const disk = new StateOwner(job, { states: STATES, disk: { operator: 1, budgetBytes: 1_000_000, directory } });
  disk.batch(0, [{ key: 'x', state: 0, value: 'one' }]);
  return { aggregate: aggregateOf([1]), slots, windows: windowsOf(WINDOWS, [[1, 5]]), program: windowsOf(PROGRAM, [[1, 5]]), timers, states: states.handle, disk: disk.handle };
}

describe('calls that do not fit', () => {
  it('are refused by handles of another kind, and say what fits', () => {
    const { aggregate, slots, windows, timers, states } = handles();
    const nothing = new Uint8Array(0);
    for (const handle of [timers, states]) {
      expect(outcomeOf('stateSave', [handle])).toMatchObject({ code: 'SAGE_INTERNAL', message: expect.stringContaining('use ') as string });
      expect(outcomeOf('stateRestore', [handle, nothing])).toMatchObject({ code: 'SAGE_INTERNAL' });
    }
    for (const handle of [timers, states, slots]) {
      expect(outcomeOf('stateSaveOwn', [handle])).toEqual({ value: nothing });
      expect(outcomeOf('stateRestoreOwn', [handle, nothing])).toEqual({ value: undefined });
      expect(outcomeOf('stateRestoreOwn', [handle, Uint8Array.of(1)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    }
    const others: [string, number, unknown[]][] = [
      ['windowsAccumulators', aggregate, []],
      ['windowsChangedAccumulators', aggregate, []],
      ['slotsKeys', windows, [Int32Array.of(0)]],
      ['slotsRestore', timers, [nothing]],
      ['timersAll', slots, []],
      ['keyedStateKeys', slots, [0, 0]],
      ['keyedStateEntries', slots, [0, 0, 0, 1]],
      ['keyedStateRestore', slots, [0, 0, nothing]],
      ['keyedStateBeginKeys', slots, [0, nothing, new Int32Array(1)]],
    ];
    for (const handle of [timers, states, slots]) expect(outcomeOf('stateSaveChanges', [handle])).toEqual({ value: null });
    for (const [name, handle, more] of others) expect({ name, ...outcomeOf(name, [handle, ...more]) }).toMatchObject({ name, code: 'SAGE_INTERNAL' });
  });

  it('are refused where something has come before', () => {
    const { aggregate, slots, windows, program, disk } = handles();
    for (const handle of [aggregate, slots, windows, program]) {
      const saved = core.stateSave(handle);
      expect(saved.length).toBeGreaterThan(0);
      expect(outcomeOf('stateRestore', [handle, saved])).toMatchObject({ code: 'SAGE_INTERNAL' });
    }
    expect(outcomeOf('stateRestoreOwn', [windows, core.stateSaveOwn(windows)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    expect(outcomeOf('keyedStateRestore', [disk, 0, 0, new Uint8Array(0)])).toMatchObject({ code: 'SAGE_INTERNAL' });
  });

  it('are refused by windows with outcomes that nobody has taken', () => {
    const handle = core.windowsCreate(job, WINDOWS, false);
    core.windowsGive(handle, timedImage([[1, 5]]), 0);
    for (const name of ['stateSave', 'stateSaveChanges', 'stateSaveOwn', 'windowsAccumulators', 'windowsChangedAccumulators']) expect({ name, ...outcomeOf(name, [handle]) }).toMatchObject({ name, code: 'SAGE_INTERNAL' });
    takeAll(handle);
    expect(outcomeOf('stateSave', [handle])).toHaveProperty('value');
  });

  it('are refused for other aggregators, other windows, states that are not there, and too little room', () => {
    const { aggregate, windows, states } = handles();
    const others = core.aggregateCreate(job, '[{"kind":"count"},{"kind":"last","input":0}]');
    expect(outcomeOf('stateRestoreOwn', [others, core.stateSaveOwn(aggregate)])).toMatchObject({ code: 'SAGE_CHECKPOINT_DAMAGED' });
    const wider = windowsOf(WINDOWS.replace('"sizeMs":30', '"sizeMs":40'), []);
    expect(outcomeOf('stateRestoreOwn', [wider, core.stateSaveOwn(windows)])).toMatchObject({ code: 'SAGE_CHECKPOINT_DAMAGED' });
    for (const state of [2, 1e9]) {
      expect(outcomeOf('keyedStateKeys', [states, 0, state])).toMatchObject({ code: 'SAGE_INTERNAL' });
      expect(outcomeOf('keyedStateRestore', [states, 0, state, new Uint8Array(0)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    }
    const key = entriesOf([canonicalKey('x'), new Uint8Array(0)]);
    expect(outcomeOf('keyedStateBeginKeys', [states, 0, key, new Int32Array(0)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    const memory = new ArrayBuffer(64);
    expect(outcomeOf('keyedStateBeginKeys', [states, 0, new Uint8Array(memory), new Int32Array(memory)])).toMatchObject({ message: expect.stringContaining('overlap') as string });
  });

  it('of key groups fill what is entries, and refuse what is none', () => {
    const entries = entriesOf([canonicalKey('x'), Uint8Array.of(1)], [canonicalKey('y'), new Uint8Array(0)]);
    const groups = [...new EntryReader(copyOf(entries))].map(({ keyGroup }) => keyGroup);
    expect(groups.every((group) => group < 128)).toBe(true);
    for (let length = 1; length < entries.length; length++) {
      // Behind the first entry is a place where entries may end.
      const isWhole = length === 11 + canonicalKey('x').length + 1;
      const outcome = outcomeOf('keyGroupsFill', [128, entries.slice(0, length)]);
      if (!isWhole) expect({ length, ...outcome }).toMatchObject({ length, code: 'SAGE_INTERNAL' });
    }
    for (const keyGroups of [0, 1, 65_536, 65_537, 2 ** 32 - 1]) outcomeOf('keyGroupsFill', [keyGroups, entries.slice()]);
  });
});

describe('bytes that make no sense', () => {
  /** Cut off, with a byte more, or with bytes that are others. */
  const damage = fc.record({ at: fc.nat(), how: fc.constantFrom('cut', 'insert', 'change'), byte: fc.nat(255), times: fc.integer({ min: 1, max: 4 }) });
  function damaged(bytes: Uint8Array, { at, how, byte, times }: { at: number; how: string; byte: number; times: number }): Uint8Array {
    if (bytes.length === 0) return Uint8Array.of(byte);
    const place = at % bytes.length;
    if (how === 'cut') return bytes.slice(0, place);
    if (how === 'insert') return Uint8Array.of(...bytes.subarray(0, place), byte, ...bytes.subarray(place));
    const changed = bytes.slice();
    for (let n = 0; n < times; n++) changed[(place + n * 7) % changed.length] = byte;
    return changed;
  }
  const isNothingOdd = (outcome: { value: unknown } | { code: string }): void => {
    if ('code' in outcome) expect(outcome.code).toMatch(REFUSED);
  };

  /** Gives bytes to all that restores something, and uses what it is then. */
  function restoreAll(own: Uint8Array, bytes: Uint8Array): void {
    const fresh = [core.aggregateCreate(job, AGGREGATORS), core.windowsCreate(job, WINDOWS, false), core.windowsCreate(job, PROGRAM, false), core.slotsCreate(job)] as const;
    for (const handle of fresh) {
      isNothingOdd(outcomeOf('stateRestoreOwn', [handle, own]));
      isNothingOdd(outcomeOf('stateRestore', [handle, bytes]));
    }
    const [aggregate, windows, program] = fresh;
    isNothingOdd(outcomeOf('aggregateUpdate', [aggregate, keyedImage([1, 7])]));
    isNothingOdd(outcomeOf('aggregateDrain', [aggregate, 0, 10, new Uint8Array(4096), new Int32Array(4)]));
    for (const handle of [windows, program]) {
      isNothingOdd(outcomeOf('windowsAccumulators', [handle]));
      isNothingOdd(outcomeOf('windowsGive', [handle, timedImage([[1, 5], [7, 1e6]]), 0]));
      takeAll(handle);
    }
    const slots = core.slotsCreate(job);
    isNothingOdd(outcomeOf('slotsRestore', [slots, bytes]));
    isNothingOdd(outcomeOf('slotsFor', [slots, keysImage(job, ['a', 'b']), new Int32Array(2)]));
    const states = core.keyedStateCreate(job, JSON.stringify({ states: STATES }));
    isNothingOdd(outcomeOf('keyedStateRestore', [states, 0, 1, bytes]));
    isNothingOdd(outcomeOf('keyedStateKeys', [states, 0, 1]));
    isNothingOdd(outcomeOf('keyedStateBeginKeys', [states, 0, bytes, new Int32Array(64)]));
    const disk = core.keyedStateCreate(job, JSON.stringify({ states: STATES, disk: { operator: 1, budgetBytes: 1000, directory } }));
    isNothingOdd(outcomeOf('keyedStateRestore', [disk, 0, 0, bytes]));
    isNothingOdd(outcomeOf('keyedStateEntries', [disk, 0, 0, 0, 1]));
    for (const handle of [...fresh, slots, states, disk]) {
      isNothingOdd(outcomeOf('stateSave', [handle]));
      core.stateDrop(handle);
    }
  }

  it('of any kind are refused, or are other state', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.uint8Array({ maxLength: 60 }), (bytes, own) => restoreAll(own, bytes)), { numRuns: shareOfRuns(0.5) });
    expect(aggregateOf([1])).toBeGreaterThan(0);
  });

  it('that were state of a checkpoint are refused, or are other state', () => {
    const { aggregate, windows, program, slots } = handles();
    core.windowsGive(windows, timedImage([[2, 12], [1, 17], [3, 90]]), 0);
    takeAll(windows);
    const expires = Buffer.alloc(8, 0x7f);
    const saved = [aggregate, windows, program, slots].map((handle) => [core.stateSaveOwn(handle), core.stateSave(handle)] as const);
    saved.push([new Uint8Array(0), entriesOf([canonicalKey('x'), Buffer.concat([expires, Buffer.from('one')])], [canonicalKey('y'), expires])]);
    fc.assert(
      fc.property(fc.constantFrom(...saved), damage, fc.boolean(), ([own, bytes], how, inOwn) => {
        if (inOwn) restoreAll(damaged(own, how), bytes);
        else restoreAll(own, damaged(bytes, how));
      }),
    );
    expect(core.jobStatus(job)).not.toBe('failed');
  });
});

describe('a job with checkpoints', () => {
  const settings = (more: object = {}): string => JSON.stringify({ directory: join(directory, 'epochs'), ...more });
  const operator = (task: number): string => `name:task ${task}`;
  let own: number;
  let isolates: readonly [number, number];

  function start(settingsJson: string): void {
    own = core.createJob(tinyGraph(operator), settingsJson);
    isolates = [core.attachIsolate(own, 0), core.attachIsolate(own, 1)];
  }
  beforeEach(() => start(settings()));
  afterEach(() => core.dropJob(own));

  /** One part of the task: bytes of the instance, or entries by key group. */
  function imageOfPart(task: number, name: string, kind: 'own' | 'keyed', payload: Uint8Array): Uint8Array {
    const sized = (bytes: Uint8Array): Uint8Array[] => [new Uint8Array(Uint32Array.of(bytes.length).buffer), bytes];
    return Buffer.concat([Uint8Array.of(1, 0, 0, 0), ...sized(Buffer.from(operator(task))), ...sized(Buffer.from(name)), Uint8Array.of(kind === 'own' ? 1 : 2, 1), ...sized(payload)]);
  }
  const NO_PARTS = new Uint8Array(4);

  /** Takes what is next for a task, which has to be a barrier; its epoch. */
  function barrierOf(isolate: number, task: number): number {
    expect(core.poll(isolates[isolate]!, -1, 50)).toBe(task);
    const desc = new Int32Array(4);
    expect(core.take(isolates[isolate]!, task, desc, new Uint8Array(64))).toBe(8);
    return new Float64Array(desc.buffer, 8, 1)[0]!;
  }

  it('gives back what its tasks have handed over', async () => {
    const entries = entriesOf([canonicalKey('x'), Uint8Array.of(7)]);
    expect([core.checkpointRestored(own), core.checkpointBegin(own), core.checkpointBegin(own)]).toEqual([-1, 1, -1]);
    expect(core.checkpointAsked(isolates[0])).toBe(1);
    expect(barrierOf(0, SENDER)).toBe(1);
    core.checkpointAcknowledge(isolates[0], SENDER, 1, imageOfPart(SENDER, 'position', 'own', Uint8Array.of(1, 2, 3)));
    core.release(isolates[0], SENDER);
    expect(barrierOf(1, RECEIVER)).toBe(1);
    core.checkpointAcknowledge(isolates[1], RECEIVER, 1, imageOfPart(RECEIVER, 'state', 'keyed', entries));
    // Written on a thread of its own: the next epoch can begin when it is durable.
    await vi.waitFor(() => expect(core.checkpointBegin(own)).toBe(2), { timeout: 20_000, interval: 1 });
    core.cancelJob(own);
    for (const isolate of isolates) core.detachIsolate(isolate);
    core.dropJob(own);

    // The directory is free when the thread that writes has seen that the job is over.
    await vi.waitFor(() => start(settings()), { timeout: 20_000, interval: 1 });

    expect(core.checkpointRestored(own)).toBe(1);
    const position = core.checkpointRead(own, operator(SENDER), 'position', 0, 1);
    expect([...position]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3]);
    expect([position.byteOffset, position.byteLength]).toEqual([0, position.buffer.byteLength]);
    expect([...core.checkpointRead(own, operator(RECEIVER), 'state', 0, 1)]).toEqual([2, ...entries]);
    // Of several instances, the one that has the key group has the key.
    const shared = [0, 1, 2].map((instance) => core.checkpointRead(own, operator(RECEIVER), 'state', instance, 3).length);
    expect(shared.toSorted((a, b) => a - b)).toEqual([1, 1, 1 + entries.length]);
    for (const [of, name] of [[operator(SENDER), 'state'], ['nobody', 'position'], ['', '']] as const) expect([...core.checkpointRead(own, of, name, 0, 1)]).toEqual([0]);
    for (const [instance, parallelism] of [[0, 0], [5, 2], [2 ** 32 - 1, 2 ** 32 - 1]]) isRead(outcomeOf('checkpointRead', [own, operator(RECEIVER), 'state', instance, parallelism]));
  });
  const isRead = (outcome: { value: unknown } | { code: string }): void => {
    if ('value' in outcome) expect([0, 2]).toContain((outcome.value as Uint8Array)[0]);
  };

  it('refuses images that are none, epochs that nobody asked for, and tasks of others', () => {
    core.checkpointBegin(own);
    expect(barrierOf(0, SENDER)).toBe(1);
    const good = imageOfPart(SENDER, 'position', 'own', Uint8Array.of(1));
    const acknowledge = (epoch: unknown, image: Uint8Array, task = SENDER, isolate = 0): ReturnType<typeof outcomeOf> => outcomeOf('checkpointAcknowledge', [isolates[isolate], task, epoch, image]);
    for (const epoch of [2, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) expect({ epoch, ...acknowledge(epoch, good) }).toMatchObject({ epoch, code: 'SAGE_INTERNAL' });
    expect(acknowledge(1, good, RECEIVER)).toHaveProperty('code');
    expect(acknowledge(1, good, RECEIVER, 1)).toHaveProperty('code');
    expect(acknowledge(1, good, 77)).toHaveProperty('code');
    for (let length = 0; length < good.length; length++) expect({ length, ...acknowledge(1, good.subarray(0, length)) }).toMatchObject({ length, code: 'SAGE_FORMAT_BATCH' });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (image) => {
        // Four bytes of 0 are an image without parts.
        fc.pre(image.some((byte) => byte !== 0));
        expect(acknowledge(1, image)).toMatchObject({ code: 'SAGE_FORMAT_BATCH' });
      }),
    );
    // The barrier still waits for the right one, once.
    expect(acknowledge(1, NO_PARTS)).toEqual({ value: undefined });
    expect(acknowledge(1, NO_PARTS)).toMatchObject({ code: 'SAGE_INTERNAL' });
    expect(core.jobStatus(own)).toBe('running');
  });

  it('gives nothing else to a task that has a barrier in hand', () => {
    const layout = core.internLayout(own, NUMBER_LAYOUT);
    core.checkpointBegin(own);
    expect(barrierOf(0, SENDER)).toBe(1);
    expect(core.take(isolates[0], SENDER, new Int32Array(4), new Uint8Array(64))).toBe(0);
    core.emit(isolates[0], SENDER, 0, numberImage(layout, [1]));
    expect(core.jobStatus(own)).toBe('running');
  });

  it('is the only one in its directory, and says so to another', () => {
    expect(outcomeOf('createJob', [tinyGraph(operator), settings()])).toMatchObject({ code: 'SAGE_CHECKPOINT_LOCKED' });
  });

  it('is refused with settings that are none', () => {
    for (const json of ['', '{', 'null', '[]', '{}', '{"directory":""}', '{"directory":7}', '{"directory":"x","retained":0}', '{"directory":"x","intervalMs":-1}', '{"directory":"x","from":"newest"}', '{"directory":"x","from":{"path":1}}']) {
      expect({ json, ...outcomeOf('createJob', [tinyGraph(operator), json]) }).toHaveProperty('code');
    }
    expect(outcomeOf('createJob', [tinyGraph(operator), JSON.stringify({ directory: join(directory, 'other'), from: { path: join(directory, 'nothing.ckpt') } })])).toHaveProperty('code');
  });

  it('is asked of jobs without checkpoints too, which have none', () => {
    expect(core.checkpointRestored(job)).toBe(-1);
    expect([...core.checkpointRead(job, 'a', 'b', 0, 1)]).toEqual([0]);
    expect(outcomeOf('checkpointBegin', [job])).toMatchObject({ code: 'SAGE_INTERNAL' });
  });
});
