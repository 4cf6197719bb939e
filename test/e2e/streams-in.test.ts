import { createHook } from 'node:async_hooks';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LocalEnvironment, StreamSource } from '../../ts/index.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An endless Readable that counts what was taken from it. */
function counting(options: { readonly highWaterMark: number }): { stream: Readable; made: () => number } {
  let made = 0;
  const stream = new Readable({ objectMode: true, ...options, read() { this.push({ n: made++ }); } });
  return { stream, made: () => made };
}

describe('a Node Readable as a source', () => {
  it('given object mode, then each chunk is a record, the falsy ones too', async () => {
    expect(await recordsOf((env) => env.fromSource(Readable.from([0, '', false, undefined, 'x'])))).toEqual([0, '', false, undefined, 'x']);
  });

  it('given byte mode, then chunks are records, and nothing is lost between them', async () => {
    const chunks = await recordsOf((env) => env.fromSource(Readable.from(['ab', 'cd', 'ef'], { objectMode: false })));
    expect(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as string))).toString()).toBe('abcdef');
    const texts = await recordsOf((env) => env.fromSource(new Readable({ encoding: 'utf8', read() { this.push(Buffer.from([0xe2, 0x82])); this.push(Buffer.from([0xac])); this.push(null); } })));
    expect(texts.join('')).toBe('€');
  });

  it('given many records in a turn, then they cost no promise each, as those of an async generator do', async () => {
    const records = numbers(5000);
    const promisesOf = async (source: AsyncIterable<number>): Promise<number> => {
      const env = new LocalEnvironment();
      const seen: number[] = [];
      env.fromSource(source).sink(seen);
      const job = await env.submit();
      let promises = 0;
      const hook = createHook({ init(_, type) { if (type === 'PROMISE') promises++; } }).enable();
      await job.completion;
      hook.disable();
      expect(seen).toEqual(records);
      return promises;
    };
    const stream = new Readable({ objectMode: true, highWaterMark: 5000, read() {} });
    for (const n of records) stream.push(n);
    stream.push(null);
    expect(await promisesOf(stream)).toBeLessThan(1000);
    expect(await promisesOf((async function* () { yield* records; })())).toBeGreaterThan(5000);
  });

  it('given a slow sink, then the stream is read no further than its own highWaterMark', async () => {
    const { stream, made } = counting({ highWaterMark: 8 });
    let arrived = 0;
    const env = new LocalEnvironment();
    env.fromSource(stream).sink(async () => {
      arrived++;
      await nextTurn();
    });
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(100);
    expect(made() - arrived).toBeLessThanOrEqual(8 + 2);
    await job.cancel();
    expect(stream.destroyed).toBe(true);
  });

  it.each(['cancel', 'stop', 'fail'] as const)('given %s, then the stream is destroyed, also while it has nothing to give', async (end) => {
    const silent = new Readable({ objectMode: true, read() {} });
    const env = new LocalEnvironment();
    env.fromSource(silent).sink([]);
    const { stream } = counting({ highWaterMark: 4 });
    let arrived = 0;
    env.fromSource(stream).sink(() => {
      if (++arrived === 10 && end === 'fail') throw new Error('enough');
    });
    const job = await env.submit();
    const completion = job.completion.catch(() => undefined);
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThanOrEqual(10);
    if (end !== 'fail') await job[end]();
    await completion;
    expect([silent.destroyed, stream.destroyed]).toEqual([true, true]);
  });

  it('given an error of the stream, then the job fails with it behind the records before it', async () => {
    const boom = new Error('disk on fire');
    let pushed = 0;
    const stream = new Readable({ objectMode: true, read() { if (pushed < 3) this.push(pushed++); else this.destroy(boom); } });
    const env = new LocalEnvironment();
    const records: unknown[] = [];
    env.fromSource(stream).named('numbers').sink(records);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', operator: 'numbers', cause: boom });
    expect(records.length).toBeLessThanOrEqual(3);
    expect(records).toEqual(numbers(records.length));
  });

  it('given a stream that fails before the job reads it, then that is the error of the job and kills no process', async () => {
    const env = new LocalEnvironment();
    env.fromSource(createReadStream('no/such/file')).sink([]);
    await nextTurn();
    await nextTurn();
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', cause: { code: 'ENOENT' } });
  });

  it('given a stream that closes before its end, then that is an error and not an end', async () => {
    const stream = new Readable({ objectMode: true, read() {} });
    stream.push(1);
    const env = new LocalEnvironment();
    const records: unknown[] = [];
    env.fromSource(stream).sink((n) => {
      records.push(n);
      stream.destroy();
    });
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', cause: { code: 'ERR_STREAM_PREMATURE_CLOSE' } });
    expect(records).toEqual([1]);
  });

  it('given the readable side of a Duplex, or a PassThrough that is written to meanwhile, then its records come', async () => {
    const through = new PassThrough({ objectMode: true, highWaterMark: 2 });
    const writing = (async () => {
      for (const n of numbers(50)) if (!through.write(n)) await new Promise<void>((resolve) => { through.once('drain', resolve); });
      through.end();
    })();
    expect(await recordsOf((env) => env.fromSource(through))).toEqual(numbers(50));
    await writing;
    expect(await recordsOf((env) => env.fromSource(Duplex.from(Readable.from([1, 2]))))).toEqual([1, 2]);
  });
});

describe('a ReadableStream as a source', () => {
  it('given an error, then the job fails with it; given cancel or stop, then it is cancelled', async () => {
    const boom = new Error('connection lost');
    const env = new LocalEnvironment();
    env.fromSource(new ReadableStream<number>({ pull(controller) { controller.error(boom); } })).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', cause: boom });
    for (const end of ['cancel', 'stop'] as const) {
      let canceled = 0;
      const ending = new LocalEnvironment();
      ending.fromSource(new ReadableStream({ cancel() { canceled++; } })).sink([]);
      const job = await ending.submit();
      await job[end]();
      expect({ end, canceled }).toEqual({ end, canceled: 1 });
    }
  });

  it('given a slow sink, then it is read one chunk at a time', async () => {
    let made = 0;
    let arrived = 0;
    const env = new LocalEnvironment();
    env.fromSource(new ReadableStream<number>({ pull(controller) { controller.enqueue(made++); } }, { highWaterMark: 0 })).sink(async () => {
      arrived++;
      await nextTurn();
    });
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(50);
    expect(made - arrived).toBeLessThanOrEqual(2);
    await job.cancel();
  });
});

describe('streams that would give nothing, or not everything', () => {
  const destroyed = new Readable({ read() {} }).on('error', () => {}).destroy();
  const failed = new Readable({ read() {} }).on('error', () => {}).destroy(new Error('gone'));
  const flowing = new Readable({ objectMode: true, read() {} }).on('data', () => {});
  const locked = new ReadableStream();
  locked.getReader();

  it.each<[string, () => Promise<unknown> | unknown, string]>([
    ['destroyed', () => destroyed, 'was destroyed'],
    ['failed', () => failed, 'has failed: gone'],
    ['read to its end', async () => { const stream = Readable.from([1]); await stream.toArray(); return stream; }, 'was read to its end before'],
    ['flowing', () => flowing, 'flows to another reader'],
    ['locked', () => locked, 'is locked to another reader'],
    ['a body that was read', async () => { const response = new Response('text'); const { body } = response; await response.text(); return body; }, '(was read to its end before|is locked to another reader)'],
  ])('given one that is %s, then that is a plan error with the reason', async (_, make, reason) => {
    const stream = await make();
    const env = new LocalEnvironment();
    const expected = expect.objectContaining({ code: 'SAGE_PLAN_SOURCE', message: expect.stringMatching(reason) as string });
    expect(() => env.fromSource(stream as Readable)).toThrow(expected);
    expect(() => StreamSource.textLines(stream as Readable)).toThrow(expected);
  });

  it('given one that somebody else takes before the job starts, or a second job, then that is an error of the job', async () => {
    const env = new LocalEnvironment();
    const stream = new ReadableStream<number>({ start(controller) { controller.enqueue(1); controller.close(); } });
    env.fromSource(stream).sink([]);
    const reader = stream.getReader();
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', message: expect.stringMatching('is locked') as string });
    reader.releaseLock();
    await env.submit({ autostop: true });
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', message: expect.stringMatching('earlier job') as string });
  });
});

describe('one pass for two sources', () => {
  function* count(): Generator<number> {
    yield* [1, 2, 3];
  }

  it.each([
    ['Readable', () => Readable.from([1, 2, 3])],
    ['ReadableStream', () => ReadableStream.from([1, 2, 3])],
    ['generator', () => count()],
  ])('given one %s to two sources, of one job or of two environments, then the second is told, and records are not shared out', async (_, make) => {
    const given = make() as Iterable<number>;
    const env = new LocalEnvironment();
    env.fromSource(given).sink([]);
    env.fromSource(given).named('again').sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE', operator: 'again', message: expect.stringContaining('another source') as string });

    const twice = make() as Iterable<number>;
    const records: number[] = [];
    const [first, second] = [new LocalEnvironment(), new LocalEnvironment()];
    first.fromSource(twice).sink(records);
    second.fromSource(twice).sink([]);
    await first.submit({ autostop: true });
    await expect(second.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE' });
    expect(records).toEqual([1, 2, 3]);
  });

  it('given what can be read again, then each source has all of it', async () => {
    const set = new Set([1, 2, 3]);
    const [a, b]: number[][] = [[], []];
    const env = new LocalEnvironment();
    env.fromSource(set).sink(a!);
    env.fromSource(set).sink(b!);
    await env.submit({ autostop: true });
    expect([a, b]).toEqual([[1, 2, 3], [1, 2, 3]]);
  });
});

describe('StreamSource', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sage-lines-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Cuts bytes or text at the given places, as a network would. */
  function cut<T extends string | Uint8Array>(whole: T, places: readonly number[]): T[] {
    const ends = [...new Set(places.map((place) => place % (whole.length + 1)))].toSorted((a, b) => a - b);
    return [...ends, whole.length].map((end, n) => whole.slice(n === 0 ? 0 : ends[n - 1]!, end) as T);
  }

  it('given any text cut anywhere, then its lines are those that node:readline finds in the whole', async () => {
    const pieces = fc.constantFrom('a', 'é', '€', '😀', ' ', '"', '\n', '\r\n', '\n\n', '{}');
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 60 }), fc.array(fc.nat(300), { maxLength: 12 }), fc.boolean(), async (text, places, isText) => {
        const bytes = Buffer.from(text.join(''));
        const expected: string[] = [];
        for await (const line of createInterface({ input: Readable.from([bytes]), crlfDelay: Infinity })) expected.push(line);
        // Text is cut between UTF-16 units, which may be the middle of a character too.
        const chunks = isText ? cut(bytes.toString(), places) : cut(bytes, places);
        expect(await recordsOf((env) => env.fromSource(StreamSource.textLines(Readable.from(chunks, { objectMode: true }))))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('given JSON values cut anywhere, then its records are what JSON.parse makes of each line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 20 }), fc.array(fc.nat(500), { maxLength: 8 }), async (values, places) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n \n`).join(''));
        const records = await recordsOf((env) => env.fromSource(StreamSource.jsonLines(cut(bytes, places))));
        expect(records).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown));
      }),
      { numRuns: 60 },
    );
  });

  it('given a file, a web stream, an async generator of bytes, and one whose memory is used again, then the lines are the same', async () => {
    const path = join(folder, 'lines.txt');
    const lines = numbers(5000).map((n) => `line ${n} ${'x'.repeat(n % 50)}`);
    writeFileSync(path, `\uFEFF${lines.join('\r\n')}`);
    const read = (stream: Parameters<typeof StreamSource.textLines>[0]): Promise<string[]> => recordsOf((env) => env.fromSource(StreamSource.textLines(stream)));
    expect(await read(createReadStream(path, { highWaterMark: 333 }))).toEqual(lines);
    expect(await read(new Blob([lines.join('\n')]).stream())).toEqual(lines);
    expect(await read(createReadStream(path, { encoding: 'utf8' }))).toEqual(lines);
    async function* reused(): AsyncGenerator<Uint8Array> {
      const memory = Buffer.alloc(7);
      const bytes = Buffer.from(lines.slice(0, 50).join('\n'));
      for (let at = 0; at < bytes.length; at += 7) yield memory.subarray(0, bytes.copy(memory, 0, at, at + 7));
    }
    expect(await read(reused())).toEqual(lines.slice(0, 50));
  });

  it.each<[string, readonly (string | Uint8Array)[], object, object]>([
    ['a line that is no JSON', ['{"a":1}\n\n', '{"a":\n{"a":2}\n'], {}, { code: 'SAGE_FORMAT_JSON', context: { line: 3 } }],
    ['bytes that are no UTF-8', [Buffer.from('1\n2\n'), Buffer.from([0x22, 0xff, 0x22, 10])], {}, { code: 'SAGE_FORMAT_UTF8', context: { line: 3 } }],
    ['a line that is too long, in one chunk', [`1\n"${'x'.repeat(100)}"\n`], { maxLineBytes: 20 }, { code: 'SAGE_FORMAT_RECORD', context: { line: 2 } }],
    ['a line that is too long, in many chunks', ['1\n"', ...numbers(100).map(() => 'x'), '"'], { maxLineBytes: 20 }, { code: 'SAGE_FORMAT_RECORD', context: { line: 2 } }],
    ['chunks that are records', [{ a: 1 } as never], {}, { code: 'SAGE_USER_WRONG_TYPE' }],
  ])('given %s, then the error says so, with the line and the operator', async (_, chunks, options, expected) => {
    const env = new LocalEnvironment();
    env.fromSource(StreamSource.jsonLines(Readable.from(chunks, { objectMode: true }), options)).named('in').sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ ...expected, operator: 'in' });
  });

  it("given invalidUtf8: 'replace', then U+FFFD stands in the place of wrong bytes", async () => {
    const bytes = Buffer.from([0x61, 0xff, 0x62, 10, 0x63]);
    expect(await recordsOf((env) => env.fromSource(StreamSource.textLines([bytes], { invalidUtf8: 'replace' })))).toEqual(['a\uFFFDb', 'c']);
  });

  it('given a path or something else that is no stream, then that is a plan error with the fix', () => {
    expect(() => StreamSource.jsonLines('orders.jsonl' as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_SOURCE', help: 'For a file write FileSource.jsonLines(path).' }));
    expect(() => StreamSource.jsonLines(7 as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_SOURCE' }));
    expect(() => StreamSource.jsonLines([], { columns: ['a'] } as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
  });

  it('given cancel, then the stream behind it is destroyed', async () => {
    const { stream } = counting({ highWaterMark: 2 });
    const bytes = stream.map(() => '{"n":1}\n');
    const env = new LocalEnvironment();
    let arrived = 0;
    env.fromSource(StreamSource.jsonLines(bytes, { unbounded: true })).sink(() => { arrived++; });
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBeGreaterThan(10);
    await job.cancel();
    expect(bytes.destroyed).toBe(true);
  });
});
