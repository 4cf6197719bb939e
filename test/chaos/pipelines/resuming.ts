import { join } from 'node:path';

import { count, END, JsonLinesSink, KeyedProcessFunction, type LocalEnvironment, type Seekable, SourceFunction, type ValueState } from '../../../ts/index.ts';

export const RECORDS = 4_000;
const KEYS = 11;
/** Records that come in one turn of the event loop. */
const AT_ONCE = 20;

/** Counts up, some records a millisecond where it is `slow`. */
class Counting extends SourceFunction<number> implements Seekable<number> {
  readonly #isSlow: boolean;
  #next = 0;

  constructor(isSlow: boolean) {
    super();
    this.#isSlow = isSlow;
  }

  execute(): number | typeof END | Promise<number | typeof END> {
    if (this.#isSlow && this.#next % AT_ONCE === 0) return new Promise((resolve) => setTimeout(() => resolve(this.#give()), 1));
    return this.#give();
  }

  #give(): number | typeof END {
    return this.#next < RECORDS ? this.#next++ : END;
  }

  position(): number {
    return this.#next;
  }

  seek(position: number): void {
    this.#next = position;
  }
}

/** Numbers the records of each key. */
class Numbering extends KeyedProcessFunction<number, number, { key: number; n: number; nth: number }> {
  #nth!: ValueState<number>;

  override open(): void {
    this.#nth = this.ctx.state.value('nth');
  }

  execute(n: number): void {
    const nth = (this.#nth.get() ?? 0) + 1;
    this.#nth.set(nth);
    this.collect({ key: this.ctx.key, n, nth });
  }
}

/** Files that the pipeline writes. */
export const OUTPUTS = ['numbers.jsonl', 'totals.jsonl'] as const;

/** Each record with its number among those of its key, and at the end, and only then, how many a key had. */
export function resuming(env: LocalEnvironment, folder: string, isSlow: boolean, touch: (n: number) => unknown = () => undefined): void {
  const records = env.fromSource(Counting, isSlow).map((n) => {
    touch(n);
    return n;
  });
  const keyed = records.keyBy((n) => n % KEYS);
  keyed.process(Numbering).sink(new JsonLinesSink(join(folder, OUTPUTS[0])));
  keyed.aggregate({ records: count() }).sink(new JsonLinesSink(join(folder, OUTPUTS[1])));
}
