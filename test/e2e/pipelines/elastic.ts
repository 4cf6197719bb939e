import { threadId } from 'node:worker_threads';

import { FileSource, type LocalEnvironment, MapFunction, count, definePipeline, isWorker, sum } from '../../../ts/index.ts';
import { Lives } from '../../chaos/support/lives.ts';

/** What the threads of one job share, to tell each other when. */
export class Signals {
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Functions need not work hard any longer. */
  get isEnough(): boolean {
    return Atomics.load(this.#cells, 0) === 1;
  }

  enough(): void {
    Atomics.store(this.#cells, 0, 1);
  }

  /** Lets workers in that wait at the door. */
  openDoor(): void {
    Atomics.store(this.#cells, 1, 1);
    Atomics.notify(this.#cells, 1);
  }

  async door(): Promise<void> {
    await Atomics.waitAsync(this.#cells, 1, 0).value;
  }
}

/** A file of numbers, one a line, and what is done about each. */
export interface ElasticArgs {
  readonly path: string;
  /** How long the function works on a record, until it is enough. */
  readonly burnMs: number;
  /** `Signals` */
  readonly signals: SharedArrayBuffer;
  /** `Lives` of the instances. */
  readonly lives: SharedArrayBuffer;
  /** What a worker does before it builds the pipeline. */
  readonly worker: 'comes' | 'waits at the door' | 'fails';
  /** It is not enough when two threads have worked. */
  readonly goesOn?: boolean;
}

/** A number and the thread that took it. */
export interface Taken {
  readonly n: number;
  readonly thread: number;
}

/** Keeps a processor busy, as parsing or compressing does. */
export class Burn extends MapFunction<string, Taken> {
  readonly #burnMs: number;
  readonly #signals: Signals;
  readonly #lives: Lives;

  constructor(burnMs: number, signals: SharedArrayBuffer, lives: SharedArrayBuffer) {
    super();
    this.#burnMs = burnMs;
    this.#signals = new Signals(signals);
    this.#lives = new Lives(lives);
  }

  override open(): void {
    this.#lives.opened(this.ctx.parallelIndex);
  }

  override close(): void {
    this.#lives.closed(this.ctx.parallelIndex);
  }

  execute(line: string): Taken {
    const untilMs = performance.now() + (this.#signals.isEnough ? 0 : this.#burnMs);
    while (performance.now() < untilMs);
    return { n: Number(line), thread: threadId };
  }
}

/** What came out, in the main thread. */
export const taken: Taken[] = [];
export const totals: { readonly count: number; readonly sum: number }[] = [];

/** Reads numbers, works on them, and has what has state behind that; `parallelism: 'auto'` makes the middle elastic. */
export const elastic = definePipeline(import.meta.url, async (env: LocalEnvironment, { path, burnMs, signals, lives, worker, goesOn = false }: ElasticArgs) => {
  if (isWorker() && worker === 'fails') throw new Error('no way in');
  if (isWorker() && worker === 'waits at the door') await new Signals(signals).door();
  const threads = new Set<number>();
  const burnt = env.fromSource(FileSource.textLines(path)).map(Burn, burnMs, signals, lives).named('burn');
  burnt.sink((record) => {
    taken.push(record);
    threads.add(record.thread);
    if (threads.size > 1 && !goesOn) new Signals(signals).enough();
  });
  burnt.aggregate({ count: count(), sum: sum(({ n }: Taken) => n) }).sink(totals);
});
