import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { KeyedProcessFunction, LocalEnvironment, type JobResult, type ListState, type MapState, type StateSettings, type ValueState } from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { failureOf } from '../support/failure-of.ts';
import { PushSource } from '../support/push-source.ts';
import { runScript } from '../support/run-script.ts';

vi.setConfig({ testTimeout: 120_000 });

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sage-disk-state-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const jobDirectories = (): string[] => readdirSync(directory).filter((name) => name.startsWith('sage-job-'));
/** Files with what has left memory. */
const tables = (): string[] => readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /keyspaces.1.tables.\d+$/.test(name)).map((name) => join(directory, name));
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
const onDisk = (memoryBytes = 1): StateSettings => ({ kind: 'disk', memoryBytes, directory });
const gaugesOf = ({ operators }: JobResult): Readonly<Record<string, number | undefined>> =>
  Object.fromEntries(Object.entries(operators.find(({ name }) => name === 'process')!.metrics!.gauges).map(([name, instances]) => [name, Object.values(instances).reduce((a, b) => a + b, 0)]));

/** Puts a value in the state of its key and gives what the key had before. */
class Swap extends KeyedProcessFunction<string, { key: string; value?: unknown }, { key: string; before: unknown; list: unknown[]; map: unknown[] }> {
  #value!: ValueState<unknown>;
  #list!: ListState<unknown>;
  #map!: MapState<string, unknown>;
  override open(): void {
    this.#value = this.ctx.state.value('value');
    this.#list = this.ctx.state.list('list');
    this.#map = this.ctx.state.map('map');
  }
  execute(record: { key: string; value?: unknown }): void {
    this.collect({ key: record.key, before: this.#value.get(), list: [...this.#list], map: [...this.#map] });
    if (!('value' in record)) return;
    this.#value.set(record.value);
    this.#list.add(record.value);
    this.#map.set('it', record.value);
  }
}

/** Far more keys than a batch has rows, so that each key leaves memory before it comes again. */
const others = (count: number): { key: string; value: number }[] => Array.from({ length: count }, (_, n) => ({ key: `other ${n}`, value: n }));

async function roundTrip(values: readonly unknown[]): Promise<{ results: { key: string; before: unknown; list: unknown[]; map: unknown[] }[]; gauges: Readonly<Record<string, number | undefined>> }> {
  const env = new LocalEnvironment('round trip', { state: onDisk() });
  const results: { key: string; before: unknown; list: unknown[]; map: unknown[] }[] = [];
  const all = [...values.map((value, n) => ({ key: `${n}`, value })), ...others(5_000), ...values.map((_, n) => ({ key: `${n}` }))];
  env.fromCollection(all as { key: string; value?: unknown }[]).keyBy('key').process(Swap).sink(results);
  const result = await env.submit({ autostop: true });
  return { results: results.slice(-values.length), gauges: gaugesOf(result) };
}

describe('state on disk', () => {
  it('given values of all kinds then they come back as they were', async () => {
    // given
    const values: unknown[] = [
      0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 40, '', 'text', 'größer', '\u{1F600} \ud800', true, false, null, 12345678901234567890n,
      new Date(5), new Map<unknown, unknown>([['a', { b: 1 }], [2, [3]]]), new Set([1, 'x']), [1, , 3], { a: { b: [undefined, null] }, 'ü': 1 }, Uint8Array.of(1, 2), new Float64Array([1.5]), /x/giu,
      { deep: Array.from({ length: 300 }, (_, n) => ({ n, text: `text ${n}` })) },
    ];
    // when
    const { results, gauges } = await roundTrip(values);
    // then
    expect(results.map(({ before }) => before)).toEqual(values);
    expect(results.map(({ list }) => list)).toEqual(values.map((value) => [value]));
    expect(results.map(({ map }) => map)).toEqual(values.map((value) => [['it', value]]));
    expect(Object.is(results[1]!.before, -0)).toBe(true);
    expect([gauges['keys given up']! >= values.length, gauges['state values loaded']! >= 3 * values.length]).toEqual([true, true]);
  });

  it('given a value that leads back to itself then it does so when it comes back', async () => {
    const value: { self?: unknown; twice: object[] } = { twice: [] };
    value.self = value;
    const shared = { n: 1 };
    value.twice.push(shared, shared);
    const [result] = (await roundTrip([value])).results;
    const before = result!.before as typeof value;
    expect([before.self === before, before.twice[0] === before.twice[1], before.twice[0]]).toEqual([true, true, { n: 1 }]);
  });

  it('given an object that is changed where it is then the change is not lost', async () => {
    class Pushes extends KeyedProcessFunction<string, { key: string; value: number }, string> {
      execute({ key, value }: { key: string; value: number }): void {
        const { state } = this.ctx;
        const box = state.value<{ all: number[] }>('box');
        if (box.get() === undefined) box.set({ all: [] });
        box.get()!.all.push(value);
        const boxes = state.map<string, { all: number[] }>('boxes');
        if (!boxes.has('it')) boxes.set('it', { all: [] });
        boxes.get('it')!.all.push(value);
        const list = state.list<{ all: number[] }>('list');
        if (list.length === 0) list.add({ all: [] });
        for (const one of list) one.all.push(value);
        if (key === 'kept') this.collect(JSON.stringify([box.get()!.all, boxes.get('it')!.all, [...list][0]!.all]));
      }
    }
    const env = new LocalEnvironment('in place', { state: onDisk() });
    const results: string[] = [];
    env.fromCollection([{ key: 'kept', value: 1 }, ...others(3_000), { key: 'kept', value: 2 }, ...others(3_000), { key: 'kept', value: 3 }]).keyBy('key').process(Pushes).sink(results);
    await env.submit({ autostop: true });
    expect(results).toEqual(['[[1],[1],[1]]', '[[1,2],[1,2],[1,2]]', '[[1,2,3],[1,2,3],[1,2,3]]']);
  });

  it('given a state that is asked for late then it is there for the keys before it', async () => {
    class Late extends KeyedProcessFunction<string, { key: string; value: number }, string> {
      execute({ key, value }: { key: string; value: number }): void {
        const first = this.ctx.state.value<number>('first');
        if (first.get() === undefined) first.set(value);
        if (key !== 'kept') return;
        const late = this.ctx.state.value<string>(`late ${value}`, { ttlMs: 1e9 });
        late.set(`set at ${value}`);
        this.collect(`${first.get()} ${this.ctx.state.value<string>('late 1', { ttlMs: 1e9 }).get()}`);
      }
    }
    const env = new LocalEnvironment('late', { state: onDisk() });
    const results: string[] = [];
    env.fromCollection([...others(10), { key: 'kept', value: 1 }, ...others(3_000), { key: 'kept', value: 2 }, ...others(3_000), { key: 'kept', value: 3 }]).keyBy('key').process(Late).sink(results);
    await env.submit({ autostop: true });
    expect(results).toEqual(['1 set at 1', '1 set at 1', '1 set at 1']);
  });

  it('given timers then they keep no values in memory, and find those of their key', async () => {
    // given more keys with timers than there is memory for, of several kinds
    class Later extends KeyedProcessFunction<unknown, { key: unknown; value: number }, string> {
      #value!: ValueState<{ value: number }>;
      override open(): void {
        this.#value = this.ctx.state.value('value');
      }
      execute({ value }: { key: unknown; value: number }): void {
        this.#value.set({ value });
        this.ctx.timers.eventTime(10_000 - value);
        this.ctx.timers.eventTime(1e6);
        if (value % 2 === 0) this.ctx.timers.cancelEventTime(1e6);
      }
      override onTimer(time: number): void {
        this.collect(`${JSON.stringify(this.ctx.key)} ${time} ${this.#value.get()?.value}`);
      }
    }
    const all = Array.from({ length: 3_000 }, (_, value) => ({ key: value % 3 === 0 ? `key ${value}` : value % 3 === 1 ? value : { value }, value, at: value % 7 }));
    const env = new LocalEnvironment('timers', { state: onDisk() });
    const results: string[] = [];
    env.fromCollection(all).assignTimestamps('at', { outOfOrdernessMs: 10 }).keyBy('key').process(Later).sink(results);
    // when
    const gauges = gaugesOf(await env.submit({ autostop: true }));
    // then they fire in the order of their times
    const line = ({ key, value }: { key: unknown; value: number }, time: number): string => `${JSON.stringify(key)} ${time} ${value}`;
    expect(results).toEqual([...all.toReversed().map((record) => line(record, 10_000 - record.value)), ...all.filter(({ value }) => value % 2 === 1).map((record) => line(record, 1e6))]);
    expect(gauges['state values loaded']).toBeGreaterThan(2_000);
    expect(gauges['timers held']).toBe(0);
  });

  it('given a time to live then what has expired leaves the disk', async () => {
    // given 60 MB in states that live for a minute
    const clock = new VirtualClock();
    const env = new LocalEnvironment('expires', { state: onDisk(), clock });
    const source = new PushSource<{ key: string; text?: Uint8Array }>();
    let found = 0;
    class Keeps extends KeyedProcessFunction<string, { key: string; text?: Uint8Array }, never> {
      execute({ text }: { key: string; text?: Uint8Array }): void {
        const state = this.ctx.state.value<Uint8Array>('text', { ttlMs: 60_000 });
        if (state.get() !== undefined) found++;
        if (text !== undefined) state.set(text);
      }
    }
    env.fromSource(source).keyBy('key').process(Keeps).sink([]);
    const job = await env.submit();
    const bytesInTables = (): number => tables().reduce((sum, path) => sum + sizeOf(path), 0);
    for (let n = 0; n < 600; n++) await source.push({ key: `key ${n}`, text: randomBytes(100_000) });
    while (bytesInTables() < 30e6) await source.push({ key: 'look' });
    // when their time is over for as long again, then they leave the disk while records come, and nobody sees them
    clock.advance(120_000);
    for (let n = 0; bytesInTables() > 1e6; n++) await source.push({ key: `key ${n % 600}` });
    expect(found).toBe(0);
    source.end();
    const gauges = gaugesOf(await job.completion);
    expect(gauges['state bytes on disk']).toBeLessThan(80e6);
  });
});

describe('the plan', () => {
  const planOf = (state: StateSettings): LocalEnvironment => {
    const env = new LocalEnvironment('planned', { state });
    env.fromCollection(others(1)).keyBy('key').process(Swap).sink([]);
    return env;
  };

  it('says where state is', () => {
    expect(planOf({ kind: 'disk', memoryBytes: 5_000_000, directory: 'here' }).explain('physical')).toMatch(/^ {2}state: on disk, about 5000000 bytes of it in memory for each instance, in here$/m);
    expect(planOf('disk').explain('physical')).toMatch(/^ {2}state: on disk, about 67108864 bytes of it in memory for each instance$/m);
    expect(planOf('disk').explain({ format: 'json' }).state).toEqual({ kind: 'disk', memoryBytes: 64 * 2 ** 20, directory: null });
  });

  it('says nothing of it where it is in memory, or where there is none', () => {
    expect(planOf('memory').explain()).not.toContain('state:');
    expect(planOf('memory').explain({ format: 'json' })).not.toHaveProperty('state');
    const stateless = new LocalEnvironment('stateless', { state: 'disk' });
    stateless.fromCollection([1]).sink([]);
    expect(stateless.explain()).not.toContain('state:');
  });
});

describe('values that cannot be on disk', () => {
  class Money {
    readonly cents = 5;
  }

  it.each([
    ['a function', () => 1, 'holds a function'],
    ['a symbol', Symbol('s'), 'holds a symbol'],
    ['an object of a class', { price: new Money() }, 'holds an object of the class Money'],
    ['a class that extends another', new (class Names extends Map {})(), 'holds an object of the class Names'],
    ['a promise', [Promise.resolve()], 'holds a Promise'],
  ])('%s', async (_what, value, why) => {
    const env = new LocalEnvironment('refused', { state: onDisk(1e6) });
    env.fromSource(function* (): Generator<{ key: string; value?: unknown }> { yield { key: 'a', value }; }).keyBy('key').process(Swap).named('swap').sink([]);
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({
      code: 'SAGE_STATE_VALUE',
      message: expect.stringContaining(`the state 'value' of 'swap' for the key the string "a" ${why}, which cannot be on disk`),
      operator: 'swap',
      declaredAt: { line: expect.any(Number) },
    });
    expect(jobDirectories()).toEqual([]);
  });

  it('are errors of their record, which a policy can put aside', async () => {
    const env = new LocalEnvironment('put aside', { state: onDisk() });
    const [results, letters]: [unknown[], unknown[]] = [[], []];
    const all = [{ key: 'a', value: 1 }, { key: 'a', value: new Money() }, { key: 'a', value: 2 }, { key: 'a' }] as { key: string; value?: unknown }[];
    const stream = env.fromSource(function* () { yield* all; }).keyBy('key').process(Swap).onError('deadLetter');
    stream.map(({ before, list }) => [before, list]).sink(results);
    stream.deadLetters().map(({ record }) => record).sink(letters);
    await env.submit({ autostop: true });
    expect(results).toEqual([[undefined, []], [1, [1]], [2, [1, 2]]]);
    expect(letters).toHaveLength(1);
  });

  it('also when they come about by a change behind the back of the state', async () => {
    class Spoils extends KeyedProcessFunction<string, { key: string; value: number }, never> {
      execute(): void {
        const box = this.ctx.state.value<{ fn?: () => number }>('box');
        box.set({});
        box.get()!.fn = () => 1;
      }
    }
    const env = new LocalEnvironment('spoils', { state: onDisk() });
    env.fromCollection(others(10)).keyBy('key').process(Spoils).sink([]);
    expect(await failureOf(env.submit({ autostop: true }))).toMatchObject({ code: 'SAGE_STATE_VALUE', message: expect.stringMatching(/the state 'box' of 'process' for the key the string "other \d" holds a function/) });
  });
});

describe('the directory of state on disk', () => {
  it('that cannot be made is an error that names it, the operator and a fix', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const env = new LocalEnvironment('no directory', { state: { kind: 'disk', directory: file } });
    env.fromCollection(others(1)).keyBy('key').process(Swap).sink([]);
    const error = await failureOf(env.submit({ autostop: true }));
    expect(error).toMatchObject({ code: 'SAGE_STATE_DIRECTORY', operator: 'process' });
    expect(error.message).toContain(file);
  });

  it.each(['ends', 'is stopped', 'is cancelled', 'fails'] as const)('is there while the job runs, and goes when it %s', async (how) => {
    const env = new LocalEnvironment('comes and goes', { state: onDisk() });
    const source = new PushSource<{ key: string; value: number }>();
    env.fromSource(source).keyBy('key').process(Swap).map(({ key }) => {
      if (key === 'fail') throw new Error('as wanted');
      return key;
    }).sink([]);
    const job = await env.submit();
    for (const other of others(20)) await source.push(other);
    expect(jobDirectories()).toHaveLength(1);
    expect(existsSync(join(directory, jobDirectories()[0]!, 'store'))).toBe(true);
    // when
    if (how === 'is stopped') await job.stop();
    else if (how === 'is cancelled') await job.cancel();
    else if (how === 'fails') void source.push({ key: 'fail', value: 1 });
    else source.end();
    await job.completion.catch(() => undefined);
    // then
    expect(jobDirectories()).toEqual([]);
  });

  it('with a damaged file is an error that names it', async () => {
    // given so much that there are tables, and nothing of them in memory
    const env = new LocalEnvironment('damaged', { state: onDisk() });
    const source = new PushSource<{ key: string; value: Uint8Array }>();
    env.fromSource(source).keyBy('key').process(Swap).sink(() => undefined);
    const job = await env.submit();
    let pushed = 0;
    // Two: the newer one may still be being written.
    while (tables().length < 2) await source.push({ key: `key ${pushed++}`, value: randomBytes(30_000) });
    // when the older one is overwritten, then reading is an error, and no other value
    const number = (path: string): number => Number(basename(path));
    const oldest = tables().toSorted((a, b) => number(a) - number(b))[0]!;
    writeFileSync(oldest, Buffer.alloc(sizeOf(oldest), 7));
    const failed = failureOf(job.completion);
    for (let n = 0; n < pushed && job.status === 'running'; n++) await Promise.race([source.push({ key: `key ${n}`, value: randomBytes(10) }), failed]);
    expect(await failed).toMatchObject({ code: 'SAGE_STATE_CORRUPT', operator: 'process', declaredAt: { line: expect.any(Number) } });
    expect(jobDirectories()).toEqual([]);
  });
});

describe('state on disk of a running job', () => {
  it('is read from outside, where the key is in memory and where it is not', async () => {
    const env = new LocalEnvironment('looked at', { state: onDisk() });
    const source = new PushSource<{ key: string; value: number }>();
    const seen: unknown[] = [];
    env.fromSource(source).keyBy('key').process(Swap).uid('swap').sink(seen);
    const job = await env.submit();
    for (const other of others(50)) await source.push(other);
    while (seen.length < 50) await new Promise(setImmediate);
    const of = (name: string, n: number): Promise<unknown> => job.state('swap', name).get(`other ${n}`);
    expect(await Promise.all(Array.from({ length: 50 }, (_, n) => of('value', n)))).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect([await of('list', 3), await of('map', 4), await of('value', 50)]).toEqual([[3], new Map([['it', 4]]), undefined]);
    source.end();
    await job.completion;
  });

  it('is that of two worker threads, and goes with the process', async () => {
    const script = fileURLToPath(new URL('../scripts/disk-state-script.ts', import.meta.url));
    const { stdout, stderr, code } = await runScript(script, [], { env: { SAGE_STATE_DIR: directory } });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toEqual({ counts: { 3: 4_000 }, threads: 2, hadDirectory: true });
    expect(jobDirectories()).toEqual([]);
  });

  it('goes when the process is interrupted', async () => {
    const script = fileURLToPath(new URL('../scripts/disk-state-script.ts', import.meta.url));
    let sent = false;
    const { stdout, signal } = await runScript(script, ['endless'], {
      env: { SAGE_STATE_DIR: directory },
      onOutput: (text, kill) => {
        if (sent || !text.includes('running')) return;
        sent = true;
        expect(jobDirectories()).toHaveLength(1);
        kill('SIGINT');
      },
    });
    expect([stdout, signal]).toEqual(['running\n', 'SIGINT']);
    expect(jobDirectories()).toEqual([]);
  });
});
