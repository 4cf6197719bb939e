import { BaseCoMapFunction, BaseJoinFunction, type LocalEnvironment, definePipeline, tumbling } from '../../../ts/index.ts';

/** A record of either side. */
export interface Sided {
  readonly n: number;
  readonly key: string;
  readonly at: number;
}

/** All joins there are, of two streams of so many records each. */
export interface JoinsArgs {
  readonly lefts: number;
  readonly rights: number;
  readonly upstream: number;
  readonly downstream: number;
}

/** What came out, in the main thread. */
export const joined: { comap: string[]; class: string[]; window: string[]; interval: string[] } = { comap: [], class: [], window: [], interval: [] };

/** The records of one side. */
export function side(count: number, stepMs: number): Sided[] {
  return Array.from({ length: count }, (_, n) => ({ n, key: `k${n % 7}`, at: n * stepMs }));
}

class Counted extends BaseCoMapFunction {
  #seen = 0;
  map0({ n }: Sided): string {
    return `left ${n} ${this.ctx.parallelIndex} ${this.#seen++}`;
  }
  map1({ n }: Sided): string {
    return `right ${n} ${this.ctx.parallelIndex} ${this.#seen++}`;
  }
}

class Pairs extends BaseJoinFunction<Sided, string, string> {
  readonly #sides = [new Map<string, Sided[]>(), new Map<string, Sided[]>()] as const;
  execute(record: Sided, key: string, tag: number): void {
    const own = this.#sides[tag === 0 ? 0 : 1];
    own.set(key, [...(own.get(key) ?? []), record]);
    for (const other of this.#sides[tag === 0 ? 1 : 0].get(key) ?? []) this.collect(tag === 0 ? `${record.n} ${other.n}` : `${other.n} ${record.n}`);
  }
}

export const joins = definePipeline(import.meta.url, (env: LocalEnvironment, { lefts, rights, upstream, downstream }: JoinsArgs) => {
  const timed = (records: readonly Sided[]) => // eslint-disable-line typescript/explicit-function-return-type
    env
      .fromCollection(records)
      .assignTimestamps('at', { outOfOrdernessMs: 0 })
      .map((record) => record)
      .parallelism(upstream);
  const connected = timed(side(lefts, 3)).connect(timed(side(rights, 5)));
  connected.comap(Counted).parallelism(downstream).sink(joined.comap);
  const keyed = connected.keyBy('key').parallelism(downstream);
  keyed.join(Pairs).sink(joined.class);
  keyed.join({ window: tumbling(40), type: 'full' }, (left, right) => `${left?.n} ${right?.n}`).sink(joined.window);
  keyed.join({ within: { before: 10, after: 30 }, type: 'left' }, (left, right) => `${left.n} ${right?.n}`).sink(joined.interval);
});
