import { Random } from './random.ts';

/** A record of a random pipeline. */
export interface Row {
  readonly v: number;
  /** Text of the key that the last keyBy gave it. */
  readonly k: string;
  readonly tag?: string;
}

/** One call of a random pipeline; `salt` makes the functions of two calls differ. */
export interface Step {
  readonly id: number;
  readonly call:
    | { readonly kind: 'source'; readonly form: 'collection' | 'generator' | 'asyncGenerator' | 'function'; readonly rows: number }
    | { readonly kind: 'map' | 'filter'; readonly async: Asynchrony; readonly isClass: boolean }
    | { readonly kind: 'flatMap'; readonly async: Asynchrony; readonly form: 'list' | 'generator' | 'collector' | 'asyncGenerator' }
    | { readonly kind: 'keyBy'; readonly async: Asynchrony; readonly strategy: 'hash' | 'roundRobin' }
    | { readonly kind: 'union' }
    | { readonly kind: 'reduce'; readonly async: Asynchrony }
    | { readonly kind: 'aggregate'; readonly form: 'numbers' | 'all' | 'update' }
    | { readonly kind: 'sink' };
  readonly salt: number;
  readonly inputs: readonly number[];
  /** `undefined`: not set. */
  readonly parallelism: number | undefined;
}

/** Whether a function gives promises: never, always, or for some records. */
export type Asynchrony = 'never' | 'always' | 'sometimes';

/** The calls of the random pipeline of a seed: a DAG in which every stream ends in a sink. */
export function randomGraph(seed: number): Step[] {
  const random = new Random(seed);
  const steps: Step[] = [];
  const streams: Step[] = [];
  const keyedBy = new Map<number, 'hash' | 'roundRobin' | undefined>();
  const add = (call: Step['call'], inputs: readonly Step[], parallelism?: number): Step => {
    const step: Step = { id: steps.length, call, salt: random.below(1000), inputs: inputs.map(({ id }) => id), parallelism };
    steps.push(step);
    const from = keyedBy.get(step.inputs[0] ?? -1);
    const keeps = call.kind === 'map' || call.kind === 'filter' || call.kind === 'flatMap';
    keyedBy.set(step.id, call.kind === 'keyBy' ? call.strategy : keeps ? from : undefined);
    if (call.kind !== 'sink') streams.push(step);
    return step;
  };
  const asynchrony = (): Asynchrony => random.pick(['never', 'never', 'never', 'sometimes', 'always']);
  const some = (): number | undefined => (random.chance(0.35) ? 1 + random.below(3) : undefined);
  /** Mostly one of the last streams, so that chains become long and diamonds close. */
  const input = (): Step => streams[streams.length - 1 - (random.chance(0.6) ? 0 : random.below(streams.length))]!;
  const source = (): void => {
    const form = random.pick(['collection', 'collection', 'generator', 'asyncGenerator', 'function'] as const);
    const rows = random.pick([0, 1, 2, 30, 100, 250]);
    add({ kind: 'source', form, rows }, [], form === 'collection' ? some() : undefined);
  };
  source();
  for (let length = 3 + random.below(14); length > 0; length--) {
    const from = input();
    const strategy = keyedBy.get(from.id);
    switch (random.pick(['source', 'map', 'map', 'filter', 'flatMap', 'keyBy', 'keyBy', 'union', 'union', 'reduce', 'aggregate', 'aggregate', 'sink'] as const)) {
      case 'source':
        source();
        break;
      case 'map':
        add({ kind: 'map', async: asynchrony(), isClass: random.chance(0.4) }, [from], some());
        break;
      case 'filter':
        add({ kind: 'filter', async: asynchrony(), isClass: random.chance(0.4) }, [from], some());
        break;
      case 'flatMap':
        add({ kind: 'flatMap', async: asynchrony(), form: random.pick(['list', 'generator', 'collector', 'asyncGenerator']) }, [from], some());
        break;
      case 'keyBy':
        add({ kind: 'keyBy', async: asynchrony(), strategy: random.pick(['hash', 'hash', 'hash', 'roundRobin']) }, [from], some());
        break;
      case 'union':
        add({ kind: 'union' }, [from, ...Array.from({ length: 1 + random.below(2) }, input)], some());
        break;
      case 'reduce':
        if (strategy !== 'roundRobin') add({ kind: 'reduce', async: asynchrony() }, [from], strategy === 'hash' ? some() : undefined);
        break;
      case 'aggregate':
        if (strategy !== 'roundRobin') add({ kind: 'aggregate', form: random.pick(['numbers', 'numbers', 'all', 'update']) }, [from], strategy === 'hash' ? some() : undefined);
        break;
      case 'sink':
        add({ kind: 'sink' }, [from]);
        break;
    }
  }
  const taken = new Set(steps.flatMap(({ inputs }) => inputs));
  for (const open of streams.filter(({ id }) => !taken.has(id))) add({ kind: 'sink' }, [open]);
  return steps;
}
