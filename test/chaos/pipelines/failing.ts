import {
  type LocalEnvironment,
  BatchFunction,
  END,
  type End,
  FilterFunction,
  FlatMapFunction,
  KeyByFunction,
  MapFunction,
  SinkFunction,
  SourceFunction,
  count,
  definePipeline,
  sum,
} from '../../../ts/index.ts';
import { OddError } from '../support/odd-error.ts';

/** The operators of the pipeline, in their order; exactly one of them fails. */
export const PLACES = ['source', 'filter', 'map', 'flatMap', 'keyBy', 'reduce', 'aggregate', 'sink'] as const;
/** The operator that fails. */
export type Place = (typeof PLACES)[number];
/** How user code is given. */
export type Form = 'lambda' | 'class';
/** What it does wrong. */
export type Fault = 'throws' | 'rejects' | 'constructor' | 'open' | 'close' | 'iterator' | 'none';

/** One case. `counts` = opened, closed and finally blocks of all instances in all threads. */
export interface FailingArgs {
  readonly place: Place;
  readonly form: Form;
  readonly fault: Fault;
  readonly counts: SharedArrayBuffer;
}

/** The record that fails. */
export const BAD = 42;
const RECORDS = 200;

/** A record of the pipeline. */
export interface Item {
  readonly n: number;
  readonly mapped?: boolean;
}

/** What the function of one operator does with a record, and how it begins and ends. */
interface Behaviour {
  readonly form: Form;
  readonly counts: Int32Array;
  construct(): void;
  open(): void;
  close(): void;
  meet(n: number): unknown;
}

function behaviourOf(args: FailingArgs, place: Place): Behaviour {
  const counts = new Int32Array(args.counts);
  const fault = args.place === place ? args.fault : 'none';
  const fail = (what: string): never => {
    throw new OddError(`${place} ${what}`);
  };
  return {
    form: args.place === place ? args.form : 'class',
    counts,
    construct: () => void (fault === 'constructor' && fail('constructor')),
    open() {
      Atomics.add(counts, 0, 1);
      if (fault === 'open') fail('open');
    },
    close() {
      Atomics.add(counts, 1, 1);
      if (fault === 'close') fail('close');
    },
    meet(n) {
      if (n !== BAD) return undefined;
      if (fault === 'throws') fail('throws');
      return fault === 'rejects' ? Promise.reject(new OddError(`${place} rejects`)) : undefined;
    },
  };
}

/** `value`, or a rejected promise at the bad record. */
function answer<T>(behaviour: Behaviour, n: number, value: T): T | Promise<T> {
  const met = behaviour.meet(n) as Promise<T> | undefined;
  return met ?? value;
}

/** The function of one operator: a lambda, or a class of the operator's base class. */
function code(args: FailingArgs, place: Place, base: abstract new () => object, run: (behaviour: Behaviour, ...given: never[]) => unknown): never {
  const behaviour = behaviourOf(args, place);
  if (behaviour.form === 'lambda') return ((...given: never[]) => run(behaviour, ...given)) as never;
  const Base = base as new () => object;
  class Faulty extends Base {
    constructor() {
      super();
      behaviour.construct();
    }
    open(): void {
      behaviour.open();
    }
    close(): void {
      behaviour.close();
    }
    execute(...given: never[]): unknown {
      return run(behaviour, ...given);
    }
  }
  return Faulty as never;
}

function source(args: FailingArgs): never {
  const behaviour = behaviourOf(args, 'source');
  if (args.place === 'source' && args.fault === 'iterator') {
    return { [Symbol.iterator]: () => { throw new OddError('source iterator'); } } as never;
  }
  if (behaviour.form === 'class') {
    let n = 0;
    return code(args, 'source', SourceFunction, (me) => (n === RECORDS ? (END as End) : answer(me, n, { n: n++ })));
  }
  const isAsync = args.fault === 'rejects';
  function* items(): Generator<Item> {
    try {
      for (let n = 0; n < RECORDS; n++) {
        void behaviour.meet(n);
        yield { n };
      }
    } finally {
      Atomics.add(behaviour.counts, 2, 1);
    }
  }
  async function* asyncItems(): AsyncGenerator<Item> {
    try {
      for (let n = 0; n < RECORDS; n++) {
        await behaviour.meet(n);
        yield { n };
      }
    } finally {
      Atomics.add(behaviour.counts, 2, 1);
    }
  }
  return (isAsync ? asyncItems : items) as never;
}

const aggregatorOf = (args: FailingArgs): never => {
  const behaviour = behaviourOf(args, 'aggregate');
  return {
    init: () => 0,
    add: (total: number, { n }: Item) => answer(behaviour, n, total + n),
    result: (total: number) => {
      if (args.place === 'aggregate' && args.fault === 'close') throw new OddError('aggregate result');
      return total;
    },
  } as never;
};

class Steps extends MapFunction<Item, Item> {
  readonly #counts: Int32Array;
  constructor(counts: SharedArrayBuffer) {
    super();
    this.#counts = new Int32Array(counts);
  }
  override open(): void {
    Atomics.add(this.#counts, 0, 1);
  }
  override close(): void {
    Atomics.add(this.#counts, 1, 1);
  }
  execute(item: Item): Item {
    return item;
  }
}

/** All kinds of operators in one chain; the markers say on which line each is declared. */
export const failing = definePipeline(import.meta.url, (env: LocalEnvironment, args: FailingArgs) => {
  const asIs = (): never => code(args, 'filter', FilterFunction, (me, item: Item) => answer(me, item.n, true));
  const items = env
    .fromSource<Item>(source(args)) // at source
    .named('the source')
    .map(Steps, args.counts);
  const reducer = behaviourOf(args, 'reduce');
  items
    .filter(asIs()) // at filter
    .named('the filter')
    .map<Item>(code(args, 'map', MapFunction, (me, { n }: Item) => answer(me, n, { n, mapped: true }))) // at map
    .named('the map')
    .flatMap(code(args, 'flatMap', FlatMapFunction, (me, item: Item) => answer(me, item.n, [item])) as () => Item[]) // at flatMap
    .named('the flatMap')
    .keyBy(code(args, 'keyBy', KeyByFunction, (me, item: Item) => answer(me, item.n, item.n % 7)) as (item: Item) => number) // at keyBy
    .named('the keyBy')
    .reduce((_, item) => answer(reducer, item.n, item), { emit: 'update' }) // at reduce
    .named('the reduce')
    .sink(code(args, 'sink', SinkFunction, (me, item: Item) => answer(me, item.n, undefined)) as () => void) // at sink
    .named('the sink');
  items
    .keyBy(({ n }) => n % 3)
    .aggregate({ n: count(), total: sum('n'), own: aggregatorOf(args) }) // at aggregate
    .named('the aggregate')
    .sink(SinkFunctionThatCounts, { args: [args.counts] });
});

class SinkFunctionThatCounts extends SinkFunction<unknown> {
  readonly #counts: Int32Array;
  constructor(counts: SharedArrayBuffer) {
    super();
    this.#counts = new Int32Array(counts);
  }
  override open(): void {
    Atomics.add(this.#counts, 0, 1);
  }
  override close(): void {
    Atomics.add(this.#counts, 1, 1);
  }
  execute(): void {}
}

/** A batch source of the user that fails. */
export class FailingBatch extends BatchFunction<Item> {
  #n = 0;
  execute(): Item {
    if (this.#n === BAD) throw new OddError('batch throws');
    return { n: this.#n++ };
  }
}
