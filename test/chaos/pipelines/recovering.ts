import { END, JsonLinesSink, KeyedProcessFunction, type LocalEnvironment, type Seekable, SourceFunction, type ValueState, definePipeline } from '../../../ts/index.ts';
import type { Core } from '../../../ts/runtime/native/core.ts';
import { loadCore } from '../../../ts/runtime/native/load-core.ts';
import { Deaths } from '../support/deaths.ts';
import { type Death as ThreadDeath, die } from './dying.ts';

/** What a function does to its thread, or to the core. */
export type Death = ThreadDeath | 'panics in the core';

/** One run. */
export interface RecoveringArgs {
  /** One after the other. */
  readonly deaths: readonly Death[];
  /** File of the sink. */
  readonly out: string;
  /** Of `Deaths`: when they come. */
  readonly moments: SharedArrayBuffer;
  readonly records: number;
  readonly keys: number;
  /** Of the function with state. */
  readonly parallelism: number;
}

/** Counts up to a number, and rests where a death is due until it is known when that is to be. */
class Counting extends SourceFunction<number> implements Seekable<number> {
  readonly #records: number;
  readonly #deaths: Deaths;
  #next = 0;

  constructor({ records, moments }: RecoveringArgs) {
    super();
    this.#records = records;
    this.#deaths = new Deaths(moments);
  }

  execute(): number | typeof END | Promise<number | typeof END> {
    const rest = this.#deaths.rest(this.#next / this.#records);
    return rest === undefined ? this.#give() : rest.then(() => this.execute());
  }

  #give(): number | typeof END {
    return this.#next < this.#records ? this.#next++ : END;
  }

  position(): number {
    return this.#next;
  }

  seek(position: number): void {
    this.#next = position;
  }
}

/** Numbers the records of each key, and dies now and then. */
class Numbering extends KeyedProcessFunction<number, number, { key: number; n: number; nth: number }> {
  readonly #args: RecoveringArgs;
  readonly #deaths: Deaths;
  #nth!: ValueState<number>;

  constructor(args: RecoveringArgs) {
    super();
    this.#args = args;
    this.#deaths = new Deaths(args.moments);
  }

  override open(): void {
    this.#nth = this.ctx.state.value('nth');
  }

  execute(n: number): void {
    if (this.#deaths.isDue()) this.#die();
    const nth = (this.#nth.get() ?? 0) + 1;
    this.#nth.set(nth);
    this.collect({ key: this.ctx.key, n, nth });
  }

  #die(): void {
    const { deaths, out } = this.#args;
    const death = deaths[this.#deaths.begun - 1]!;
    // Filling a heap takes longer than the death of what is full.
    if (death === 'runs out of memory') for (const hoard: unknown[] = []; ; this.#deaths.signOfLife()) hoard.push(Array.from({ length: 1000 }, (_, n) => ({ n })));
    if (death === 'panics in the core') (loadCore() as Core & { testPanic(): void }).testPanic();
    else die(death, out);
  }
}

/** Numbers, by key, through threads that die into a file. */
export const recovering = definePipeline(import.meta.url, (env: LocalEnvironment, args: RecoveringArgs) => {
  env
    .fromSource(Counting, args)
    .keyBy((n) => n % args.keys)
    .process(Numbering, args)
    .parallelism(args.parallelism)
    .named('the numbering')
    .sink(new JsonLinesSink(args.out));
});
