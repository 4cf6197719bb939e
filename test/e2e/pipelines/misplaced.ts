import { definePipeline, JsonLinesSink, type LocalEnvironment, MapFunction } from '../../../ts/index.ts';

/** What goes wrong, each where the one who notices is not the one to blame. */
export type Mishap = 'json' | 'iterator' | 'crossing' | 'context' | 'copy';

class AsksForState extends MapFunction<number, unknown> {
  execute() {
    return (this.ctx as unknown as { state: unknown }).state;
  }
}

class Secret extends MapFunction<number, number> {
  readonly #factor = 2;
  execute(n: number) {
    return n * this.#factor;
  }
}

/** Each operator has a name that says what it is. The lines that are to blame end with a mark. */
export const misplaced = definePipeline(import.meta.url, (env: LocalEnvironment, { mishap, out }: { mishap: Mishap; out: string }) => {
  const numbers = env.fromCollection([1, 2, 3, 4]);
  switch (mishap) {
    case 'json': {
      const made = numbers.map((n) => ({ id: BigInt(n) })).named('makes bigints'); // made
      made.sink(new JsonLinesSink(out, { mkdir: true })).named('writes JSON'); // json
      return;
    }
    case 'iterator': {
      const odd = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(3 as never) }) };
      env.fromBatch(odd).named('odd iterator').sink([]); // iterator
      return;
    }
    case 'crossing':
      numbers
        .map((n) => ({ callback: () => n }))
        .named('makes functions') // crossing
        .keyBy(() => 1)
        .reduce((a) => a)
        .sink([]);
      return;
    case 'context':
      numbers.map(AsksForState).named('asks for state').sink([]); // context
      return;
    case 'copy':
      numbers.map(new Secret()).named('has secrets').sink([]); // copy
  }
});
