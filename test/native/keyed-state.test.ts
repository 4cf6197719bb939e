import fc from 'fast-check';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FOUND_ABSENT, FOUND_BYTES, FOUND_SLOT, FOUND_TOO_SMALL } from '../../ts/runtime/native/core.ts';
import { shareOfRuns } from '../property-runs.ts';
import { outcomeOf } from './support/binding.ts';
import { canonicalKey, core, keysImage, StateOwner, type StateRow } from './support/state-owner.ts';
import { tinyGraph } from './support/tiny-job.ts';

// Values in JavaScript, keys and residency in the core: what `ctx.state` is made of, without it.

const STATES = [{ name: 'a' }, { name: 'b', ttlMs: 50 }];

let job: number;
let directory: string;

beforeEach(() => {
  job = core.createJob(tinyGraph());
  directory = mkdtempSync(join(tmpdir(), 'sage-state-test-'));
});
afterEach(() => {
  core.dropJob(job);
  rmSync(directory, { recursive: true, force: true });
});

const jobDirectories = (): string[] => readdirSync(directory).filter((name) => name.startsWith('sage-job-'));
const onDisk = (budgetBytes: number, operator = 1): { states: typeof STATES; disk: object } => ({ states: STATES, disk: { operator, budgetBytes, directory } });

const row: fc.Arbitrary<StateRow> = fc.record(
  {
    key: fc.oneof(fc.constantFrom('hot', 'a key that is longer than fifteen bytes'), fc.nat(40).map(String)),
    state: fc.nat(1),
    value: fc.option(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), { nil: undefined }),
    reads: fc.boolean(),
  },
  { requiredKeys: ['key', 'state', 'reads'] },
);
const step = fc.record({ passedMs: fc.oneof(fc.nat(4), fc.nat(80)), rows: fc.array(row, { maxLength: 20 }) });

/** Every row sees what a map of all values has. */
function agreesWithAMap(owner: StateOwner, steps: readonly { passedMs: number; rows: readonly StateRow[] }[]): void {
  const model = new Map<string, { value: string; expiresAtMs: number }>();
  let nowMs = 1_700_000_000_000;
  const expected = (key: string, state: number): string | undefined => {
    const held = model.get(`${state}:${key}`);
    return held !== undefined && held.expiresAtMs > nowMs ? held.value : undefined;
  };
  for (const { passedMs, rows } of steps) {
    nowMs += passedMs;
    const wanted = rows.map(({ key, state, value, reads }) => {
      const before = STATES.map((_, n) => expected(key, n));
      if (reads !== true) {
        if (value === undefined) model.delete(`${state}:${key}`);
        else model.set(`${state}:${key}`, { value, expiresAtMs: nowMs + (STATES[state]!.ttlMs ?? Number.POSITIVE_INFINITY) });
      }
      return before;
    });
    expect(owner.batch(nowMs, rows)).toEqual(wanted);
  }
}

describe('states of user functions', () => {
  it('in memory are a map', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => agreesWithAMap(new StateOwner(job, { states: STATES }), steps)));
  });

  it('on disk are a map, however little memory there is', () => {
    let operator = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(4_000), (steps, budgetBytes) => agreesWithAMap(new StateOwner(job, onDisk(budgetBytes, operator++)), steps)),
      { numRuns: shareOfRuns(0.5) },
    );
    // All operators of a job share its store.
    expect(jobDirectories()).toHaveLength(1);
  });

  it('given keys that came once then they make room and come back', () => {
    const owner = new StateOwner(job, onDisk(20_000));
    const rowsOf = (first: number, reads: boolean): StateRow[] => Array.from({ length: 100 }, (_, n) => ({ key: `key ${first + n}`, state: 0, value: `value ${first + n}`, reads }));
    for (let first = 0; first < 5_000; first += 100) owner.batch(0, rowsOf(first, false));
    expect(owner.counts()).toMatchObject({ loaded: 0 });
    expect(owner.counts().residentBytes).toBeLessThan(20_000 + 100 * 150);
    expect(owner.values.length).toBeLessThan(500);
    for (let first = 0; first < 5_000; first += 100) {
      expect(owner.batch(0, rowsOf(first, true)).map(([a]) => a)).toEqual(rowsOf(first, true).map(({ value }) => value));
    }
    expect(owner.counts().givenUp).toBeGreaterThan(4_500);
  });

  it('that have expired leave memory also when no batch comes', () => {
    const owner = new StateOwner(job, { states: STATES });
    owner.batch(0, Array.from({ length: 1_000 }, (_, n) => ({ key: `${n}`, state: 1, value: 'x' })));
    owner.expire(49);
    expect(owner.counts()).toMatchObject({ residentKeys: 1_000, expired: 0 });
    owner.expire(50);
    expect(owner.counts()).toMatchObject({ residentKeys: 0, residentBytes: 0, expired: 1_000 });
    expect(owner.values.flat().filter((value) => value !== undefined)).toEqual([]);
  });

  it('are found from outside, in memory and on disk', () => {
    const owner = new StateOwner(job, onDisk(0));
    owner.batch(0, [{ key: 'first', state: 0, value: 'one' }]);
    owner.batch(0, [{ key: 'second', state: 0, value: 'two' }]);
    const desc = new Int32Array(2);
    const find = (key: string, into: Uint8Array): number[] => {
      core.keyedStateFind(owner.handle, 0, 0, canonicalKey(key), desc, into);
      return [...desc];
    };
    const into = new Uint8Array(10);
    expect(find('first', into)).toEqual([FOUND_BYTES, 3]);
    expect(Buffer.from(into.subarray(0, 3)).toString()).toBe('one');
    expect(find('first', new Uint8Array(2))).toEqual([FOUND_TOO_SMALL, 3]);
    const [kind, slot] = find('second', into);
    expect([kind, owner.values[slot!]![0]]).toEqual([FOUND_SLOT, 'two']);
    expect(find('third', into)).toEqual([FOUND_ABSENT, 0]);
  });

  it('that are held stay where they are', () => {
    const owner = new StateOwner(job, onDisk(0));
    owner.batch(0, [{ key: 'held', state: 0, value: 'one' }]);
    core.keyedStateHold(owner.handle, Int32Array.of(0), true);
    for (let n = 0; n < 5; n++) owner.batch(0, [{ key: `${n}`, state: 0, value: 'x' }]);
    expect(owner.values[0]![0]).toBe('one');
    core.keyedStateHold(owner.handle, Int32Array.of(0), false);
    owner.batch(0, [{ key: 'other', state: 0, value: 'x' }]);
    owner.batch(0, [{ key: 'another', state: 0, value: 'x' }]);
    expect(owner.values.flat()).not.toContain('one');
    expect(owner.batch(0, [{ key: 'held', state: 0, reads: true }])).toEqual([['one', undefined]]);
  });

  it('that are dirty are given to the store and stay in memory', () => {
    const owner = new StateOwner(job, onDisk(1_000_000));
    owner.batch(0, [{ key: 'first', state: 0, value: 'one' }, { key: 'second', state: 0, value: 'two' }]);
    const pairs = new Int32Array(5);
    expect(core.keyedStateDirty(owner.handle, 0, pairs)).toBe(1);
    expect([...pairs]).toEqual([1, 0, 0, 0, 0]);
    core.keyedStateStore(owner.handle, pairs.subarray(1, 3), Int32Array.of(3), new TextEncoder().encode('one'));
    expect(core.keyedStateDirty(owner.handle, 0, new Int32Array(9))).toBe(-1);
    expect(owner.counts()).toMatchObject({ residentKeys: 2, written: 1 });
    expect(owner.batch(0, [{ key: 'first', state: 0, reads: true }])).toEqual([['one', undefined]]);
  });
});

describe('the directory of a job', () => {
  it('is removed with the job', () => {
    const owner = new StateOwner(job, onDisk(0));
    owner.batch(0, [{ key: 'a', state: 0, value: 'x' }]);
    owner.batch(0, [{ key: 'b', state: 0, value: 'x' }]);
    expect(jobDirectories()).toHaveLength(1);
    expect(existsSync(join(directory, jobDirectories()[0]!, 'store'))).toBe(true);
    core.dropJob(job);
    expect(jobDirectories()).toEqual([]);
    expect(outcomeOf('keyedStateCreate', [job, JSON.stringify(onDisk(0))])).toMatchObject({ code: 'SAGE_JOB_NOT_FOUND' });
  });

  it('that cannot be made is an error that names it and a fix', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const spec = { states: STATES, disk: { operator: 1, budgetBytes: 0, directory: file } };
    const error = outcomeOf('keyedStateCreate', [job, JSON.stringify(spec)]);
    expect(error).toMatchObject({ code: 'SAGE_STATE_DIRECTORY', message: expect.stringContaining('set SAGE_STATE_DIR') as string });
    expect(error).toMatchObject({ message: expect.stringContaining(file) as string });
    expect(core.jobStatus(job)).toBe('initializing');
  });
});

describe('calls that do not fit', () => {
  it('are refused', () => {
    const owner = new StateOwner(job, { states: STATES });
    const [aggregate, slots] = [core.aggregateCreate(job, '[{"kind":"count"}]'), core.slotsCreate(job)];
    for (const handle of [aggregate, slots]) expect(outcomeOf('keyedStateCounts', [handle])).toMatchObject({ code: 'SAGE_INTERNAL', message: expect.stringContaining('not one of keyed state') as string });
    expect(outcomeOf('slotsFor', [owner.handle, keysImage(job, ['a']), new Int32Array(1)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    expect(outcomeOf('keyedStateFinish', [owner.handle, 0, new Int32Array(0), new Int32Array(0), new Uint8Array(0)])).toMatchObject({ message: expect.stringContaining('no batch') as string });
    const memory = new ArrayBuffer(64);
    expect(outcomeOf('keyedStateFind', [owner.handle, 0, 0, new Uint8Array(memory, 0, 8), new Int32Array(memory, 8, 2), new Uint8Array(memory)])).toMatchObject({ message: expect.stringContaining('overlap') as string });
    expect(outcomeOf('keyedStateBegin', [owner.handle, 0, keysImage(job, ['a', 'b']), new Int32Array(1)])).toMatchObject({ message: expect.stringContaining('no room') as string });
    expect(owner.batch(0, [{ key: 'a', state: 0, value: 'x' }])).toEqual([[undefined, undefined]]);
    for (const spec of ['{}', '[]', '{"states":[{"name":"a","ttlMs":-1}]}', '{"states":[{"name":"a"}],"disk":true}']) expect(outcomeOf('keyedStateCreate', [job, spec])).toHaveProperty('code');
  });
});
