import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough, type Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LocalEnvironment, SageError } from '../../ts/index.ts';
import { numbers } from './support/run-to-array.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-streams-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Takes records one a turn; counts how many wait in it. */
function slowWritable(options: { readonly highWaterMark: number }): { stream: Writable; taken: unknown[] } {
  const taken: unknown[] = [];
  const stream = new Writable({
    objectMode: true,
    ...options,
    write(record, _, callback) {
      taken.push(record);
      setImmediate(callback);
    },
  });
  return { stream, taken };
}

describe('a Node Writable as a sink', () => {
  it('given object mode, then it gets each record, and is ended with the job', async () => {
    const { stream, taken } = slowWritable({ highWaterMark: 4 });
    const env = new LocalEnvironment();
    env.fromCollection([0, '', undefined, { a: 1 }, ...numbers(100)]).sink(stream);
    const result = await env.submit({ autostop: true });
    expect([taken, stream.writableFinished, result.recordsOut]).toEqual([[0, '', undefined, { a: 1 }, ...numbers(100)], true, 104]);
  });

  it('given a file, then its text is in it when the job has ended', async () => {
    const path = join(folder, 'lines.txt');
    const env = new LocalEnvironment();
    env.fromCollection(numbers(20_000)).map((n) => `${n}\n`).sink(createWriteStream(path));
    await env.submit({ autostop: true });
    expect(readFileSync(path, 'utf8')).toBe(numbers(20_000).map((n) => `${n}\n`).join(''));
  });

  it('given a slow one, then the source waits for it', async () => {
    const { stream, taken } = slowWritable({ highWaterMark: 8 });
    let made = 0;
    const env = new LocalEnvironment();
    env.fromSource(function* () { for (;;) yield made++; }, { unbounded: true }).sink(stream);
    const job = await env.submit();
    await expect.poll(() => taken.length, { interval: 1 }).toBeGreaterThan(50);
    expect(made - taken.length).toBeLessThanOrEqual(8 + 2);
    await job.stop();
    expect([taken.length, stream.writableFinished]).toEqual([made, true]);
  });

  it('given { end: false }, then it has all records when the job has ended, and takes more from others', async () => {
    const { stream, taken } = slowWritable({ highWaterMark: 100 });
    for (const job of [1, 2]) {
      const env = new LocalEnvironment();
      env.fromCollection(numbers(10)).sink(stream, { end: false });
      await env.submit({ autostop: true });
      expect(taken.length).toBe(job * 10);
    }
    expect(stream.listenerCount('drain')).toBe(0);
    stream.end('last');
    await new Promise((resolve) => stream.on('finish', resolve));
    expect(taken.at(-1)).toBe('last');
  });

  it('given standard output, then it is not ended', async () => {
    const env = new LocalEnvironment();
    env.fromCollection<string>([]).sink(process.stdout);
    await env.submit({ autostop: true });
    expect(process.stdout.writableEnded).toBe(false);
  });

  it.each(['fail', 'cancel'] as const)('given %s, then it is destroyed with the reason; with { end: false } it is left alone', async (end) => {
    for (const left of [false, true]) {
      const stream = new Writable({ objectMode: true, write(_record, _, callback) { setImmediate(callback); } });
      const errors: unknown[] = [];
      stream.on('error', (error) => errors.push(error));
      let arrived = 0;
      const env = new LocalEnvironment();
      const numbers = env.fromSource(function* () { for (let n = 0; ; n++) yield n; }, { unbounded: true });
      numbers.sink(stream, { end: !left }).sink(() => {
        if (++arrived === 20 && end === 'fail') throw new Error('enough');
      });
      const job = await env.submit();
      const completion = job.completion.catch((error: unknown) => error);
      await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThanOrEqual(20);
      if (end === 'cancel') await job.cancel();
      const outcome = await completion;
      await nextTurn(); // Node tells of a destroyed stream a tick later
      expect([stream.destroyed, stream.writableEnded]).toEqual([!left, false]);
      if (left) expect(errors).toEqual([]);
      else if (end === 'fail') expect(errors).toEqual([outcome]);
      else expect(errors).toEqual([expect.objectContaining({ code: 'SAGE_JOB_CANCELED' })]);
      stream.destroy();
    }
  });

  it.each<[string, Writable]>([
    ['while it is written to', new Writable({ objectMode: true, write(record, _, callback) { callback((record as number) === 30 ? new Error('full') : null); } })],
    ['while it is waited for', new Writable({ objectMode: true, highWaterMark: 1, write(record, _, callback) { setImmediate(callback, (record as number) === 30 ? new Error('full') : null); } })],
    ['at its end', new Writable({ objectMode: true, write(_record, _, callback) { callback(); }, final(callback) { callback(new Error('full')); } })],
  ])('given an error of it %s, then the job fails with the name of the sink', async (_, stream) => {
    const env = new LocalEnvironment();
    env.fromCollection(numbers(1000)).sink(stream).named('archive');
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SINK', operator: 'archive', cause: { message: 'full' } });
  });

  it('given an error of it while no record comes, then the job fails too', async () => {
    for (const harm of [(stream: Writable) => stream.destroy(new Error('gone')), (stream: Writable) => stream.destroy(), (stream: Writable) => stream.end()]) {
      const { stream, taken } = slowWritable({ highWaterMark: 4 });
      const env = new LocalEnvironment();
      let left = 3;
      env.fromSource(() => (left > 0 ? left-- : undefined), { unbounded: true }).sink(stream).named('archive');
      const job = await env.submit();
      const failure = job.completion.catch((error: unknown) => error);
      await expect.poll(() => taken.length, { interval: 1 }).toBe(3);
      harm(stream);
      expect(await failure).toMatchObject({ code: 'SAGE_USER_SINK', operator: 'archive' });
    }
  });

  it('given a chunk that it cannot take, then that is an error of the record', async () => {
    const run = (stream: Writable, record: unknown): Promise<unknown> => {
      const env = new LocalEnvironment();
      env.fromCollection([record]).sink(stream);
      return env.submit({ autostop: true });
    };
    const sink = (objectMode: boolean): Writable => new Writable({ objectMode, write(_record, _, callback) { callback(); } }).on('error', () => {});
    await expect(run(sink(false), { a: 1 })).rejects.toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', record: { a: 1 } });
    await expect(run(sink(true), null)).rejects.toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', record: null });
  });

  it('given one that takes nothing any more, then that is a plan error; one that was ended since, an error of the job', async () => {
    const env = new LocalEnvironment();
    const stream = env.fromCollection([1]);
    const ended = new PassThrough({ objectMode: true });
    ended.end();
    const failed = new PassThrough().on('error', () => {}).destroy(new Error('gone'));
    const locked = new WritableStream();
    locked.getWriter();
    for (const [target, reason] of [[ended, 'was ended'], [failed, 'has failed: gone'], [new PassThrough().destroy(), 'was destroyed'], [locked, 'is locked']] as const) {
      expect(() => stream.sink(target as Writable)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_SINK', message: expect.stringContaining(reason) as string }));
    }
    expect(() => stream.sink(new PassThrough(), { end: 1 } as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
    expect(() => stream.sink([], { end: false } as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
    const { stream: late } = slowWritable({ highWaterMark: 1 });
    stream.sink(late);
    await env.submit({ autostop: true });
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SINK', message: expect.stringMatching(/was (ended before|destroyed)/) as string });
  });
});

describe('one stream for two sinks', () => {
  it.each([
    ['a Writable', () => new PassThrough({ objectMode: true }), [undefined, undefined]],
    ['a Writable that one of them leaves open', () => new PassThrough({ objectMode: true }), [{ end: false }, undefined]],
    ['a WritableStream', () => new WritableStream<number>(), [{ end: false }, { end: false }]],
  ] as const)('given %s, then that is a plan error that names both', async (_, make, [first, second]) => {
    const target = make();
    const env = new LocalEnvironment();
    const numbers = env.fromCollection([1, 2, 3]);
    numbers.sink(target as Writable, first).named('one');
    numbers.map((n) => -n).sink(target as Writable, second).named('two');
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_PLAN_SINK', operator: 'two', message: expect.stringMatching(/'one' and 'two' both write to the same/) as string });
  });

  it('given a Writable that both leave open, then it has the records of both', async () => {
    const target = new PassThrough({ objectMode: true });
    const env = new LocalEnvironment();
    const numbers = env.fromCollection([1, 2, 3]);
    numbers.sink(target, { end: false });
    numbers.map((n) => -n).sink(target, { end: false });
    await env.submit({ autostop: true });
    const records = (await target.end().toArray()) as number[];
    expect(records.toSorted((a, b) => a - b)).toEqual([-3, -2, -1, 1, 2, 3]);
  });
});

describe('a WritableStream as a sink', () => {
  it('given compression, then the bytes that come out are those that went in', async () => {
    const compression = new CompressionStream('gzip');
    const env = new LocalEnvironment();
    env.fromCollection(numbers(5000)).map((n) => new TextEncoder().encode(`${n}\n`)).sink(compression.writable);
    const [bytes] = await Promise.all([new Response(compression.readable).arrayBuffer(), env.submit({ autostop: true })]);
    expect(gunzipSync(Buffer.from(bytes)).toString()).toBe(numbers(5000).map((n) => `${n}\n`).join(''));
  });

  it('given a slow one, then the source waits for it; it is closed with the job, or left open', async () => {
    for (const end of [true, false]) {
      const log: unknown[] = [];
      let made = 0;
      let ahead = 0;
      const stream = new WritableStream<number>({
        async write(n) {
          await nextTurn();
          log.push(n);
          ahead = Math.max(ahead, made - log.length);
        },
        close() { log.push('closed'); },
      }, new CountQueuingStrategy({ highWaterMark: 3 }));
      const env = new LocalEnvironment();
      env.fromSource(function* () { while (made < 200) yield made++; }).sink(stream, { end });
      await env.submit({ autostop: true });
      expect(log).toEqual(end ? [...numbers(200), 'closed'] : numbers(200));
      expect(ahead).toBeLessThanOrEqual(5);
      expect(stream.locked).toBe(end);
    }
  });

  it('given an error of it, then the job fails with the name of the sink; given a failed job, then it is aborted with the reason', async () => {
    const boom = new Error('refused');
    const env = new LocalEnvironment();
    env.fromCollection(numbers(100)).sink(new WritableStream({ write(n) { if (n === 30) throw boom; } })).named('out');
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SINK', operator: 'out', cause: boom });
    const reasons: unknown[] = [];
    const failing = new LocalEnvironment();
    failing.fromCollection(numbers(100)).sink(new WritableStream({ abort(reason) { reasons.push(reason); } })).sink((n) => {
      if (n === 50) throw boom;
    });
    const error = await failing.submit({ autostop: true }).catch((error: unknown) => error);
    expect(reasons).toEqual([error]);
  });
});

describe('collect().toReadable()', () => {
  const squares = (env: LocalEnvironment, count: number) => env.fromCollection(numbers(count)).map((n) => n * n);

  it('given the helpers of node:stream, then they find an ordinary Readable', async () => {
    const path = join(folder, 'squares.txt');
    const lines = new Transform({ objectMode: true, transform(n, _, callback) { callback(null, `${n}\n`); } });
    await pipeline(squares(new LocalEnvironment(), 3000).collect().toReadable(), lines, createWriteStream(path));
    expect(readFileSync(path, 'utf8')).toBe(numbers(3000).map((n) => `${n * n}\n`).join(''));
    const even = squares(new LocalEnvironment(), 10).collect().toReadable().filter((n) => n % 2 === 0);
    expect(await even.toArray()).toEqual([0, 4, 16, 36, 64]);
    const doubled = squares(new LocalEnvironment(), 4).collect().toReadable().compose(async function* (source: AsyncIterable<number>) { for await (const n of source) yield n * 2; });
    expect(await (doubled as Readable).toArray()).toEqual([0, 2, 8, 18]);
    const through: unknown[] = [];
    await pipeline(squares(new LocalEnvironment(), 5).collect().toReadable(), Duplex.from(async function* (source: AsyncIterable<number>) { for await (const n of source) yield n + 1; }), async (source) => { for await (const n of source) through.push(n); });
    expect(through).toEqual([1, 2, 5, 10, 17]);
  });

  it('given records that come one a turn, then each is asked for once, and the end comes once', async () => {
    for (const highWaterMark of [1, 100]) {
      const env = new LocalEnvironment();
      const stream = env.fromSource(async function* () { for (const n of numbers(200)) { await nextTurn(); yield n; } }).collect().toReadable({ highWaterMark });
      const seen: unknown[] = [];
      const errors: unknown[] = [];
      let ends = 0;
      stream.on('data', (n) => seen.push(n)).on('error', (error) => errors.push(error)).on('end', () => ends++);
      await new Promise((resolve) => stream.on('close', resolve));
      expect([seen, errors, ends]).toEqual([numbers(200), [], 1]);
    }
  });

  it('given bytes, then it is a stream of bytes; given other records in it, an error of the stream', async () => {
    const env = new LocalEnvironment();
    const stream = env.fromCollection(['ab', 'cd']).collect().toReadable({ objectMode: false, highWaterMark: 1 });
    expect(stream.readableObjectMode).toBe(false);
    expect(Buffer.concat(await stream.toArray() as Buffer[]).toString()).toBe('abcd');
    const wrong = new LocalEnvironment();
    await expect(wrong.fromCollection([{ a: 1 }]).collect().toReadable({ objectMode: false }).toArray()).rejects.toMatchObject({ code: 'SAGE_USER_WRONG_TYPE' });
    expect(wrong.activeJob).toBeUndefined();
    await expect(new LocalEnvironment().fromCollection([null]).collect().toReadable().toArray()).rejects.toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', record: null });
  });

  it('given destroy, then the job is cancelled; given a failed job, then the stream has its error', async () => {
    const env = new LocalEnvironment();
    const stream = env.fromSource(function* () { for (let n = 0; ; n++) yield n; }, { unbounded: true }).collect().toReadable();
    for await (const n of stream) if (n === 50) break;
    expect(stream.destroyed).toBe(true);
    await expect.poll(() => env.activeJob, { interval: 1 }).toBeUndefined();
    const records: unknown[] = [];
    const failing = squares(new LocalEnvironment(), 100).map((n) => { if (n === 49) throw new RangeError('seven'); return n; }).collect().toReadable();
    await expect((async () => { for await (const n of failing) records.push(n); })()).rejects.toMatchObject({ code: 'SAGE_USER_THREW', record: 49 });
    expect(records).toEqual(numbers(records.length).map((n) => n * n));
  });

  it('given a slow reader, then the source waits for it', async () => {
    let made = 0;
    let read = 0;
    const stream = new LocalEnvironment().fromSource(function* () { for (;;) yield made++; }, { unbounded: true }).collect().toReadable({ highWaterMark: 4 });
    for await (const _ of stream) {
      if (++read % 50 === 0) await nextTurn();
      expect(made - read).toBeLessThan(2048);
      if (read === 4000) break;
    }
  });
});

describe('collect().toReadableStream()', () => {
  it('given the streams of the web, then it goes through them', async () => {
    const env = new LocalEnvironment();
    const stream = env.fromCollection(numbers(2000)).map((n) => `${n}\n`).collect().toReadableStream();
    const bytes = stream.pipeThrough(new TextEncoderStream()).pipeThrough(new CompressionStream('gzip') as never).pipeThrough(new DecompressionStream('gzip') as never);
    expect(await new Response(bytes as never).text()).toBe(numbers(2000).map((n) => `${n}\n`).join(''));
    const one = new LocalEnvironment().fromCollection([1, null, undefined]).collect().toReadableStream();
    const seen: unknown[] = [];
    for await (const record of one) seen.push(record);
    expect(seen).toEqual([1, null, undefined]);
  });

  it('given cancel, then the job is cancelled; given highWaterMark 0, then nothing starts before the first read', async () => {
    const env = new LocalEnvironment();
    let made = 0;
    const stream = env.fromSource(function* () { for (;;) yield made++; }, { unbounded: true }).collect().toReadableStream({ highWaterMark: 0 });
    await nextTurn();
    expect([made, env.activeJob]).toEqual([0, undefined]);
    const reader = stream.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 0 });
    expect(env.activeJob?.status).toBe('running');
    await reader.cancel();
    expect(env.activeJob).toBeUndefined();
  });

  it('given a failed job, then the stream has its error', async () => {
    const stream = new LocalEnvironment().fromCollection([1]).map(() => { throw new RangeError('no'); }).collect().toReadableStream();
    await expect(stream.getReader().read()).rejects.toMatchObject({ code: 'SAGE_USER_THREW' });
  });
});

describe('reading what collect() gave', () => {
  async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
    const seen: T[] = [];
    for await (const record of records) seen.push(record);
    return seen;
  }
  const endless = (env: LocalEnvironment) => env.fromSource(function* () { for (let n = 0; ; n++) yield n; }, { unbounded: true });

  it('given several calls of next at once, then each gets a record, in their order, and the rest the end', async () => {
    const iterator = new LocalEnvironment().fromCollection(numbers(3)).collect()[Symbol.asyncIterator]();
    expect(await Promise.all(numbers(5).map(() => iterator.next()))).toEqual([...numbers(3).map((value) => ({ done: false, value })), { done: true, value: undefined }, { done: true, value: undefined }]);
  });

  it('given throw or await using, then the job is cancelled and waited for', async () => {
    const thrown = new LocalEnvironment();
    const iterator = endless(thrown).collect()[Symbol.asyncIterator]();
    await iterator.next();
    await expect(iterator.throw!(new Error('mine'))).rejects.toThrow('mine');
    expect([thrown.activeJob, await iterator.next()]).toEqual([undefined, { done: true, value: undefined }]);
    const used = new LocalEnvironment();
    {
      await using records = endless(used).collect()[Symbol.asyncIterator]();
      expect(await records.next()).toEqual({ done: false, value: 0 });
    }
    expect(used.activeJob).toBeUndefined();
  });

  it('given its signal, then the job is cancelled and the reader told, wherever it is', async () => {
    const reason = new Error('too late');
    const waiting = new LocalEnvironment();
    const controller = new AbortController();
    const silent = waiting.fromSource(() => undefined, { unbounded: true }).collect({ signal: controller.signal });
    const reading = all(silent);
    await expect.poll(() => waiting.activeJob?.status, { interval: 1 }).toBe('running');
    const job = waiting.activeJob!;
    controller.abort(reason);
    await expect(reading).rejects.toMatchObject({ code: 'SAGE_JOB_CANCELED', cause: reason });
    await job.ended;
    expect(job.status).toBe('canceled');
    const env = new LocalEnvironment();
    await expect(all(endless(env).collect({ signal: AbortSignal.abort(reason) }))).rejects.toMatchObject({ code: 'SAGE_JOB_CANCELED', cause: reason });
    expect(env.activeJob).toBeUndefined();
    expect(() => env.fromCollection([1]).collect({ signal: 1 } as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
  });

  it('given a job that somebody else cancels, then its reader does not take what came for everything', async () => {
    const env = new LocalEnvironment();
    const records: number[] = [];
    const reading = (async () => {
      for await (const n of endless(env).collect()) {
        records.push(n);
        if (n === 10) void env.activeJob!.cancel();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SAGE_JOB_CANCELED' });
    expect(records).toEqual(numbers(records.length));
  });

  it('given two readers of which one leaves, then the other is told', async () => {
    const env = new LocalEnvironment();
    const stream = endless(env);
    const [one, two] = [stream.collect(), stream.collect()];
    const leaves = (async () => { for await (const n of one) if (n === 10) break; })();
    await expect(Promise.all([leaves, all(two)])).rejects.toBeInstanceOf(SageError);
    await leaves;
  });

  it('given a second reader of any kind, then that is an error', () => {
    const records = new LocalEnvironment().fromCollection([1]).collect();
    records.toReadableStream({ highWaterMark: 0 });
    const taken = expect.objectContaining({ code: 'SAGE_ENV_CONTEXT' });
    expect(() => records.toReadable()).toThrow(taken);
    expect(() => records.toReadableStream()).toThrow(taken);
    expect(() => records[Symbol.asyncIterator]()).toThrow(taken);
  });
});
