import { afterEach, beforeEach, expect, it } from 'vitest';

import { EntryReader } from '../../ts/runtime/checkpoint/entry-reader.ts';
import { core } from './support/state-owner.ts';
import { imageOf, tinyGraph } from './support/tiny-job.ts';

// What has changed of what the core holds, for an epoch on top of another one (`docs/internals/operator-state.md`, "Changes").

const AGGREGATORS = '[{"kind":"count"},{"kind":"sum","input":0}]';
/** Sessions whose accumulators JavaScript has. */
const SESSIONS = JSON.stringify({ keyed: true, time: 'event', assigner: { kind: 'session', gapMs: 5 } });
/** Outcomes of `windowsTake`. */
const [NOTHING, TOO_SMALL] = [0, -2];

let job: number;
beforeEach(() => {
  job = core.createJob(tinyGraph());
});
afterEach(() => core.dropJob(job));

const doubles = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);

/** Keys, each with itself as the input. */
function update(aggregate: number, keys: readonly number[]): void {
  core.aggregateUpdate(aggregate, imageOf(keys.length, core.internLayout(job, '{"key":"f64","row":{"tup":["f64"]}}'), [doubles(keys), doubles(keys)]));
}

function give(windows: number, rows: readonly (readonly [key: number, time: number])[]): void {
  const keys = doubles(rows.map(([key]) => key));
  core.windowsGive(windows, imageOf(rows.length, core.internLayout(job, '{"key":"f64","time":"f64","row":{"tup":["f64"]}}'), [keys, doubles(rows.map(([, time]) => time)), keys]), 0);
  takeAll(windows);
}

function takeAll(windows: number): void {
  const [desc, counts] = [new Int32Array(2), new Float64Array(4)];
  for (let into = new Uint8Array(64); ; ) {
    const kind = core.windowsTake(windows, true, into, desc, counts);
    if (kind === NOTHING) return;
    if (kind === TOO_SMALL) into = new Uint8Array(Math.ceil(desc[0]! / 8) * 8);
  }
}

/** Each key, and what there is of it, if anything. */
function changesOf(bytes: Uint8Array | null): [key: number, value: Buffer | undefined][] {
  return Array.from(new EntryReader(Buffer.from(bytes!)).changes(), ({ key, value }) => [key.readDoubleLE(1), value]);
}

it('given state of which little has changed since it was saved, then that is what is handed over, and on top of the rest it is all that there is', () => {
  const keys = [1, 2, 3, 4, 5, 6];
  const [aggregate, windows] = [core.aggregateCreate(job, AGGREGATORS), core.windowsCreate(job, SESSIONS, false)];
  update(aggregate, keys);
  give(windows, keys.map((key) => [key, 10 * key]));
  // Everything comes first.
  for (const handle of [aggregate, windows]) expect(core.stateSaveChanges(handle)).toBeNull();
  const whole = [aggregate, windows].map((handle) => core.stateSave(handle));
  expect(core.windowsChangedAccumulators(windows)).toBeNull();
  for (const handle of [aggregate, windows]) expect(core.stateSaveChanges(handle)).toEqual(new Uint8Array(0));
  expect(core.windowsChangedAccumulators(windows)).toEqual(new Uint8Array(0));

  update(aggregate, [2, 2]);
  give(windows, [[5, 51], [7, 72]]);
  // The session of the key 1 is over.
  core.windowsAdvance(windows, 16, 0);
  takeAll(windows);

  const ofAggregate = changesOf(core.stateSaveChanges(aggregate));
  expect(ofAggregate.map(([key]) => key)).toEqual([2]);
  const ofWindows = changesOf(core.stateSaveChanges(windows));
  expect(ofWindows.map(([key, value]) => [key, value !== undefined])).toEqual([[1, false], [5, true], [7, true]]);
  expect(changesOf(core.windowsChangedAccumulators(windows)).map(([key, value]) => [key, value?.readUInt32LE(4)])).toEqual([[1, undefined], [5, 1], [7, 1]]);
  expect(core.windowsChangedAccumulators(windows)).toBeNull();
  for (const [n, changes] of [ofAggregate, ofWindows].entries()) {
    const all = new Map(changesOf(whole[n]!));
    for (const [key, value] of changes) {
      if (value === undefined) all.delete(key);
      else all.set(key, value);
    }
    expect(new Map(changesOf(core.stateSave([aggregate, windows][n]!)))).toEqual(all);
  }
});

it('given more than half of the keys have changed, then nothing is handed over, as everything is to be saved', () => {
  const aggregate = core.aggregateCreate(job, AGGREGATORS);
  update(aggregate, [1, 2, 3, 4, 5]);
  core.stateSave(aggregate);
  update(aggregate, [1, 2, 3]);
  expect(core.stateSaveChanges(aggregate)).toBeNull();
  core.stateSave(aggregate);
  update(aggregate, [1, 2]);
  expect(changesOf(core.stateSaveChanges(aggregate)).map(([key]) => key)).toEqual([1, 2]);
});
