import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { exported, outcomeOf, signatures } from './support/binding.ts';
import { NUMBER_LAYOUT, RECEIVER, SENDER, numberImage, tinyGraph } from './support/tiny-job.ts';

const names = [...signatures.keys()];
const NOTHING_LIVES_HERE = [-1, -(2 ** 31), 2 ** 31 - 1, 2 ** 32 - 2, Number.MAX_SAFE_INTEGER];
/** Of no use as any argument of any export. */
const WRONG_TYPES = [undefined, null, {}, [], 'text', Symbol('s'), 5n, () => undefined, new Date(0), Object.create(null), new Proxy({}, {})];

let job: number;
let isolates: readonly [number, number];

beforeEach(() => {
  job = exported['createJob']!(tinyGraph()) as number;
  isolates = [exported['attachIsolate']!(job, 0) as number, exported['attachIsolate']!(job, 1) as number];
});
afterEach(() => void exported['dropJob']!(job));

/** An argument that fits: of the job that lives. */
function fitting(name: string, type: string): unknown {
  if (name === 'isolate') return isolates[0];
  if (name === 'job' || name === 'jobHandle') return job;
  if (name === 'waitMs' || name === 'releasedTask') return name === 'waitMs' ? 0 : -1;
  const values: Record<string, unknown> = {
    number: 0,
    string: '{}',
    boolean: true,
    Uint8Array: new Uint8Array(64),
    Int32Array: new Int32Array(8),
    Float64Array: new Float64Array(8),
  };
  return type in values ? values[type] : () => undefined;
}

/** All arguments fit but one. */
function callsWith(wrong: readonly unknown[], types: (type: string) => boolean): { name: string; args: unknown[]; wrong: unknown; parameter: string }[] {
  return names.flatMap((name) =>
    signatures.get(name)!.flatMap((parameter, index) =>
      types(parameter.type)
        ? wrong.map((value) => ({ name, wrong: value, parameter: parameter.name, args: signatures.get(name)!.map(({ name, type }, n) => (n === index ? value : fitting(name, type))) }))
        : [],
    ),
  );
}

const isCallback = (type: string): boolean => type.startsWith('(');

/** What `take` gives for a batch. */
const BATCH = 1;

function expectJobLives(): void {
  expect(exported['jobStatus']!(job)).toBe('running');
  const layout = exported['internLayout']!(job, NUMBER_LAYOUT) as number;
  expect(exported['poll']!(isolates[0], -1, 0)).toBe(SENDER);
  expect(exported['emit']!(isolates[0], SENDER, 0, numberImage(layout, [1, 2]))).toBe(1);
  expect(exported['poll']!(isolates[1], -1, 0)).toBe(RECEIVER);
  const [desc, into] = [new Int32Array(4), new Uint8Array(256)];
  const take = (): unknown => exported['take']!(isolates[1], RECEIVER, desc, into);
  // Calls before may have said how far event time is.
  expect([take(), take()]).toContain(BATCH);
  expect(desc[2]).toBe(2);
}

describe('every export', () => {
  it('is declared, and what is declared is exported', () => {
    expect(Object.keys(exported).toSorted()).toEqual(names.toSorted());
    expect(names.length).toBeGreaterThan(30);
  });

  it('called without arguments', () => {
    for (const name of names.filter((one) => signatures.get(one)!.length > 0)) expect({ name, ...outcomeOf(name, []) }).toMatchObject({ name, code: expect.stringMatching(/^SAGE_/) as string });
    expectJobLives();
  });

  it('given values of wrong types, one at a time, throws an error that can be read', () => {
    for (const { name, args, parameter, wrong } of callsWith(WRONG_TYPES, () => true)) {
      const { type } = signatures.get(name)!.find((one) => one.name === parameter)!;
      const isRight = (type === 'string' && typeof wrong === 'string') || (isCallback(type) && (typeof wrong === 'function' || (name === 'attachIsolate' && wrong == null)));
      const outcome = outcomeOf(name, args);
      if (!isRight) expect({ name, parameter, ...outcome }).toHaveProperty('code');
    }
    expectJobLives();
  });

  it('given an argument whose conversion throws does not call it', () => {
    const trap = { valueOf: vi.fn<() => number>(() => 0), toString: vi.fn<() => string>(() => '{}'), [Symbol.toPrimitive]: vi.fn<() => number>(() => 0) };
    for (const { name, args } of callsWith([trap], () => true)) expect({ name, ...outcomeOf(name, args) }).toHaveProperty('code');
    expect(trap.valueOf).not.toHaveBeenCalled();
    expect(trap.toString).not.toHaveBeenCalled();
    expectJobLives();
  });

  it('given handles, tasks and ids of nothing says so, or has nothing to do', () => {
    // Forgetting what is not there is no mistake, and for a loop it is the end.
    const forgiving = new Set(['dropJob', 'stateDrop', 'detachIsolate', 'poll']);
    const isHandle = (parameter: string): boolean => /^(job|jobHandle|isolate|handle)$/.test(parameter);
    for (const { name, args, parameter } of callsWith(NOTHING_LIVES_HERE, (type) => type === 'number')) {
      const outcome = outcomeOf(name, args);
      if (isHandle(parameter) && !forgiving.has(name)) expect({ name, parameter, ...outcome }).toHaveProperty('code');
    }
    expect(outcomeOf('poll', [2 ** 31 - 1, -1, 0])).toEqual({ value: -2 });
    exported['release']!(isolates[0], SENDER); // A poll above has taken it.
    expectJobLives();
  });

  it('given numbers that are none', () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0.5, 1e300, -1e-300];
    // What is no number is 0 to the Node API: handles of our own are spared.
    const spared = /^(job|jobHandle|isolate|handle)$/;
    for (const { name, args, parameter } of callsWith(odd, (type) => type === 'number')) {
      if (spared.test(parameter)) continue;
      const startedMs = performance.now();
      outcomeOf(name, args);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
    expect(exported['jobStatus']!(job)).toBe('running');
  });

  it('given buffers that are too small, empty, detached or of another kind', () => {
    const detached = new Uint8Array(64);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const buffers = [new Uint8Array(0), new Int32Array(0), new Int32Array(3), new Float64Array(0), new Uint8Array(7), new Uint8Array(new ArrayBuffer(64), 3), detached, new ArrayBuffer(64), new DataView(new ArrayBuffer(64)), new Float32Array(8), new BigInt64Array(8)];
    for (const { name, args } of callsWith(buffers, (type) => type.endsWith('Array'))) outcomeOf(name, args);
    expectJobLives();
  });

  it('given two buffers that share memory refuses to write into one while it reads the other', () => {
    const memory = new ArrayBuffer(256);
    expect(outcomeOf('take', [isolates[0], SENDER, new Int32Array(memory, 8, 4), new Uint8Array(memory)])).toMatchObject({ code: 'SAGE_INTERNAL', message: expect.stringContaining('overlap') as string });
    const slots = exported['slotsCreate']!(job) as number;
    expect(outcomeOf('slotsFor', [slots, new Uint8Array(memory), new Int32Array(memory)])).toMatchObject({ code: 'SAGE_INTERNAL' });
    expectJobLives();
  });

  it('given texts that are not JSON, or not the JSON that is wanted', () => {
    const texts = ['', '{', 'null', '[]', '[1]', '{"type":"csv"}', '"\\ud800"', '\0', '['.repeat(100_000), '{"type":"jsonLines","path":""}', '{"type":"textLines","path":"\\u0000"}', '[{"kind":"sum"}]', '[{"kind":"sum","input":4294967295}]', '[{"kind":"topN","n":-1}]', '{"row":{"rec":[["a","f64"],["a","f64"]]}}', `${'{"row":{"rec":[["a",'.repeat(5000)}`];
    for (const { name, args } of callsWith(texts, (type) => type === 'string')) {
      const outcome = outcomeOf(name, args);
      // An error of the host may be any JSON, and fails the job; aggregates may be none, and so may be an operator, or a part of one, in an epoch.
      if (!['failJob', 'aggregateCreate', 'internShape', 'checkpointRead', 'checkpointOperator'].includes(name)) expect({ name, args, ...outcome }).toHaveProperty('code');
    }
    expect(outcomeOf('failJob', [job, '{"code":"SAGE_INTERNAL","message":"again"}'])).toEqual({ value: undefined });
    expect(exported['jobStatus']!(job)).toBe('failed');
  });

  it('used after the job has been dropped', () => {
    const state = exported['aggregateCreate']!(job, '[{"kind":"count"}]') as number;
    exported['dropJob']!(job);
    for (const name of names.filter((one) => one !== 'testPanic')) {
      const own: Record<string, unknown> = { handle: state, isolate: isolates[1], job, jobHandle: job };
      outcomeOf(name, signatures.get(name)!.map(({ name, type }) => own[name] ?? fitting(name, type)));
    }
    for (const name of ['jobStatus', 'jobMetrics', 'pauseJob', 'cancelJob']) expect(outcomeOf(name, [job])).toMatchObject({ code: 'SAGE_JOB_NOT_FOUND' });
    expect(outcomeOf('poll', [isolates[0], -1, 50])).toEqual({ value: -2 });
    expect(outcomeOf('aggregateUpdate', [state, new Uint8Array(64)])).toHaveProperty('code');
  });
});

describe('a panic in the core', () => {
  it('is SAGE_INTERNAL, again and again, and everything else goes on', () => {
    for (let n = 0; n < 3; n++) expect(outcomeOf('testPanic', [])).toMatchObject({ code: 'SAGE_INTERNAL', message: expect.stringContaining('a panic on purpose') as string });
    expectJobLives();
  });
});

describe('a poll', () => {
  it('waits 50 ms at most, whatever it is asked to', () => {
    // Isolate 1 has nothing to do before isolate 0 sends something.
    for (const waitMs of [1e9, Number.POSITIVE_INFINITY]) {
      const startedMs = performance.now();
      expect(exported['poll']!(isolates[1], -1, waitMs)).toBe(-1);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
    for (const waitMs of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) expect({ waitMs, ...outcomeOf('poll', [isolates[1], -1, waitMs]) }).toEqual({ waitMs, value: -1 });
  });

  it('gives a task back only to who has it', () => {
    expect(exported['poll']!(isolates[0], -1, 0)).toBe(SENDER);
    for (const [isolate, task] of [[isolates[0], RECEIVER], [isolates[1], SENDER], [isolates[0], 77]] as const) {
      for (const name of ['release', 'finishTask', 'hasCredit']) expect({ name, isolate, task, ...outcomeOf(name, [isolate, task]) }).toHaveProperty('code');
      expect(outcomeOf('emit', [isolate, task, 0, new Uint8Array(64)])).toHaveProperty('code');
    }
    exported['release']!(isolates[0], SENDER);
    expectJobLives();
  });
});
