// The task of a source at barriers, and in an attempt that goes on from one: the runner with a core that the test plays.
import { randomUUID } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { systemClock } from '../../../ts/common/clock.ts';
import type { JobId } from '../../../ts/common/ids.ts';
import { compile } from '../../../ts/compiler/compile.ts';
import { type BatchFunction, END, LocalEnvironment, type Logger, type Seekable, SourceFunction } from '../../../ts/index.ts';
import { LayoutCache } from '../../../ts/runtime/codec/batch-reader.ts';
import type { IsolateTask } from '../../../ts/runtime/isolate/isolate-loop.ts';
import { type Core, TAKE_BARRIER, TAKE_END_STOPPED, TAKE_NOTHING, TAKE_SOURCE } from '../../../ts/runtime/native/core.ts';
import { createTask, type JobFacts } from '../../../ts/runtime/stage/stage-factory.ts';
import { memoryRegistry } from './memory-registry.ts';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent };

type Add = (env: LocalEnvironment) => ReturnType<LocalEnvironment['fromCollection']>;

/** One task, and what it has handed over. */
class Played {
  readonly given: unknown[] = [];
  readonly images: { readonly epoch: number; readonly parts: readonly Buffer[] }[] = [];
  readonly task: IsolateTask;
  /** What the core says next; the source's turn when there is nothing here. */
  readonly next: ('barrier' | 'last' | 'stop' | 'nothing')[] = [];
  #epoch = 0;

  constructor(add: Add, from?: Buffer) {
    const env = new LocalEnvironment('played', { checkpoint: { dir: 'nowhere' } });
    add(env).sink((record: unknown) => void this.given.push(record));
    const { physical } = compile(env.pipeline, env.config, { importable: true, cores: 1 });
    const facts: JobFacts = { jobId: randomUUID() as unknown as JobId, jobName: 'played', config: env.config as unknown as JobFacts['config'], signal: new AbortController().signal, logger: silent, exchanges: physical.exchanges };
    const core: Partial<Core> = {
      take: (_isolate, _task, desc) => this.#take(desc),
      hasCredit: () => 1,
      jobStatus: () => 'running',
      checkpointRestored: () => (from === undefined ? -1 : 1),
      checkpointOperator: () => 1,
      checkpointSkipped: () => [],
      checkpointRead: (_job, _operator, name) => (name === 'position' ? ownPart(from!) : Uint8Array.of(0)),
      checkpointBase: () => 0,
      checkpointAcknowledge: (_isolate, _task, epoch, image) => void this.images.push({ epoch, parts: payloads(Buffer.from(image)) }),
    };
    this.task = createTask({ task: 0, stage: physical.stages[0]!, instance: 0 }, facts, 1, {
      core: core as Core, isolate: 0, layouts: new LayoutCache(memoryRegistry()), stopping: new Promise(() => undefined), clock: systemClock, schedule: undefined,
      ready: () => undefined, worked: () => undefined, limitReached: () => undefined, onEarlyEnd: () => undefined, onDurable: () => undefined,
      fail: (error) => {
        throw error;
      },
    });
  }

  #take(desc: Int32Array): number {
    const next = this.next.shift();
    if (next === undefined) return TAKE_SOURCE;
    if (next === 'nothing') return TAKE_NOTHING;
    if (next === 'stop') return TAKE_END_STOPPED;
    desc[0] = next === 'last' ? 1 : 0;
    new Float64Array(desc.buffer)[1] = ++this.#epoch;
    return TAKE_BARRIER;
  }

  /** Steps until so many records have been given. */
  async give(records: number): Promise<this> {
    while (this.given.length < records) if ((await this.task.runner.step()) === 'finished') break;
    return this;
  }

  /** The position at a barrier that comes now. */
  async barrier(kind: 'barrier' | 'last' = 'barrier'): Promise<Buffer> {
    const before = this.images.length;
    this.next.push(kind);
    while (this.images.length === before) await this.task.runner.step();
    return this.images.at(-1)!.parts[0]!;
  }

  async end(): Promise<readonly unknown[]> {
    while ((await this.task.runner.step()) !== 'finished');
    await this.task.close(true);
    return this.given;
  }
}

async function play(add: Add, from?: Buffer): Promise<Played> {
  const played = new Played(add, from);
  await played.task.open();
  return played;
}

function payloads(image: Buffer): Buffer[] {
  let at = 4;
  const sized = (): Buffer => {
    const length = image.readUInt32LE(at);
    at += 4 + length;
    return image.subarray(at - length, at);
  };
  return Array.from({ length: image.readUInt32LE(0) }, () => {
    sized();
    sized();
    at += 2;
    return sized();
  });
}

function ownPart(payload: Buffer): Buffer {
  const head = Buffer.alloc(17);
  head[0] = 1;
  head.writeUInt32LE(1, 1);
  head.writeUInt32LE(0, 5);
  head.writeUInt32LE(1, 9);
  head.writeUInt32LE(payload.length, 13);
  return Buffer.concat([head, payload]);
}

const RECORDS = 40;
const all = Array.from({ length: RECORDS }, (_, n) => n);

class Counter extends SourceFunction<number> implements Seekable<number> {
  #next = 0;
  readonly #asyncEvery: number;
  constructor(asyncEvery: number) {
    super();
    this.#asyncEvery = asyncEvery;
  }
  execute(): number | typeof END | Promise<number | typeof END> {
    const record = this.#next === RECORDS ? END : this.#next++;
    return this.#next % this.#asyncEvery === 0 ? Promise.resolve(record) : record;
  }
  position(): number {
    return this.#next;
  }
  seek(position: number): void {
    this.#next = position;
  }
}

const sources: Readonly<Record<string, Add>> = {
  'an array': (env) => env.fromCollection(all),
  'a set': (env) => env.fromBatch(new Set(all)),
  'a generator': (env) => env.fromBatch(function* () { yield* all; }),
  'an async generator': (env) => env.fromBatch(async function* () { yield* all; }),
  'a source class with positions': (env) => env.fromSource(Counter, 1000) as never,
  'a source class with positions and promises': (env) => env.fromSource(Counter, 3) as never,
  'a batch function': (env) => {
    class Batch { left = [...all]; execute(): number | undefined { return this.left.shift(); } }
    return env.fromBatch(Batch as unknown as new () => BatchFunction<number>) as never;
  },
};

describe.each(Object.entries(sources))('%s', (_name, add) => {
  it.each([0, 1, 7, 20, RECORDS])('given a barrier behind about %i records, when another attempt goes on from there, then the two give each record once', async (records) => {
    const first = await play(add);
    await first.give(records);
    const position = await first.barrier();
    const before = [...first.given];
    // what comes behind the barrier does not count
    await first.give(records + 3);
    const second = await play(add, position);
    expect([...before, ...(await second.end())]).toEqual(all);
  });

  it('given a second barrier in the attempt that goes on, when a third one goes on from there, then nothing is given twice', async () => {
    const first = await play(add);
    await first.give(5);
    const one = await first.barrier();
    const second = await play(add, one);
    await second.give(9);
    const two = await second.barrier();
    const given = [...first.given.slice(0, RECORDS - (await remaining(add, one)).length), ...second.given];
    expect([...given, ...(await remaining(add, two))]).toEqual(all);
  });

  it('given its end, when its last image is restored, then nothing is given again', async () => {
    const first = await play(add);
    await first.end();
    const last = first.images.at(-1)!;
    expect(last.epoch).toBe(0);
    expect(await (await play(add, last.parts[0]!)).end()).toEqual([]);
  });

  it('given a last barrier, when it has passed, then the stop ends the task', async () => {
    const first = await play(add);
    await first.give(3);
    const position = await first.barrier('last');
    first.next.push('stop');
    const given = await first.end();
    expect([...given, ...(await remaining(add, position))]).toEqual(all);
  });
});

async function remaining(add: Add, from: Buffer): Promise<readonly unknown[]> {
  return (await play(add, from)).end();
}

describe('a source that gives a promise', () => {
  it('given one that never settles, when the core asks for a barrier, then it passes, and the wait goes on', async () => {
    const asked: PromiseWithResolvers<number>[] = [];
    const played = await play((env) => env.fromSource(() => {
      const next = Promise.withResolvers<number>();
      asked.push(next);
      return next.promise;
    }) as never);
    // A step that has been woken may end, and the next one wait for the same promise.
    const control = { isOver: false };
    const steps = (async () => {
      while (!control.isOver) await played.task.runner.step();
    })();
    for (const epoch of [1, 2]) {
      played.next.push('barrier');
      while (played.images.length < epoch) {
        played.task.runner.lookForBarrier();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect(asked.length).toBe(1);
    asked[0]!.resolve(5);
    while (played.given.length === 0) await new Promise((resolve) => setImmediate(resolve));
    control.isOver = true;
    played.next.push('nothing');
    asked.at(-1)!.resolve(6);
    await steps;
    expect(played.given[0]).toBe(5);
  });

  it('given nothing now, when a barrier comes, then it passes', async () => {
    const played = await play((env) => env.fromSource((): number | undefined => undefined) as never);
    expect(await played.task.runner.step()).toBe('nothing');
    await played.barrier();
    expect(played.images.map(({ epoch }) => epoch)).toEqual([1]);
  });
});
