import { type DataStream, KeyedProcessFunction, type LocalEnvironment, type ValueState, definePipeline } from '../../../ts/index.ts';

/** How a loop is built, and how often its records go around. */
export interface LoopArgs {
  readonly records: number;
  readonly rounds: number;
  /** Instances of the head, of the keyed operator, and of what fills the future. */
  readonly parallelism: readonly [number, number, number];
  readonly memoryBytes: number;
}

export interface Walker {
  readonly id: number;
  readonly left: number;
  /** Rounds that the state of its key has counted. */
  readonly counted: number;
}

/** What came out, in the main thread. */
export const walked: Walker[] = [];

/** Counts the rounds of each walker, in the state of its key. */
class Rounds extends KeyedProcessFunction<number, Walker, Walker> {
  #rounds!: ValueState<number>;
  override open(): void {
    this.#rounds = this.ctx.state.value('rounds');
  }
  execute({ id, left }: Walker): void {
    const counted = (this.#rounds.get() ?? 0) + 1;
    this.#rounds.set(counted);
    this.collect({ id, left, counted });
  }
}

/** Walkers that go around in worker threads, through state of their key, until they have nothing left. */
export const loops = definePipeline(import.meta.url, (env: LocalEnvironment, { records, rounds, parallelism, memoryBytes }: LoopArgs) => {
  const [head, keyed, tail] = parallelism;
  const again = env.fromFuture<Walker>('again', { memoryBytes }).parallelism(head);
  const source = env.fromCollection(Array.from({ length: records }, (_, id) => ({ id, left: rounds - (id % 3), counted: 0 })));
  const counted: DataStream<Walker> = source.union(again).parallelism(head).keyBy('id').parallelism(keyed).process(Rounds);
  const { more, done } = counted.split(({ left }) => (left > 0 ? 'more' : 'done'), ['more', 'done']);
  more.rebalance().map((walker) => ({ ...walker, left: walker.left - 1 })).parallelism(tail).fillFuture(again);
  done.sink(walked);
});
