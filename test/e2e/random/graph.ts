import { type Facts, MAX_PAIRS, factsBehind, pairsOf } from './graph-facts.ts';
import { Random } from './random.ts';
import { type TimedCall, drawForm, drawJoin, drawOtherWindow, drawTimeWindow } from './timed-calls.ts';

/** A record of a random pipeline. */
export interface Row {
  readonly v: number;
  /** Text of the key that the last keyBy gave it. */
  readonly k: string;
  readonly tag?: string;
  /** When it happened, as far as a source or a step wrote it down: no more than what `timestamps` go by. */
  readonly t: number;
}

/** What is said with `onError`, and how its functions fail: always at some rows, or, `flaky`, only at the first attempt. */
export type Policy = 'skip' | 'deadLetter' | 'retrySkip' | 'retryDeadLetter' | 'flaky';

/** Attempts behind the first one, of policies that have some. */
export const RETRIES = 2;

/** One call of a random pipeline; `salt` makes the functions of two calls differ. */
export interface Step {
  readonly id: number;
  readonly call:
    | { readonly kind: 'source'; readonly form: 'collection' | 'generator' | 'asyncGenerator' | 'function'; readonly rows: number }
    | { readonly kind: 'map' | 'filter'; readonly async: Asynchrony; readonly isClass: boolean }
    | { readonly kind: 'flatMap'; readonly async: Asynchrony; readonly form: 'list' | 'generator' | 'collector' | 'asyncGenerator' }
    | { readonly kind: 'keyBy'; readonly async: Asynchrony; readonly strategy: 'hash' | 'roundRobin' }
    | { readonly kind: 'union' | 'zipWithIndex' | 'rebalance' }
    | { readonly kind: 'reduce'; readonly async: Asynchrony }
    | { readonly kind: 'aggregate'; readonly form: 'numbers' | 'all' | 'update' }
    | { readonly kind: 'mapAsync'; readonly async: Asynchrony; readonly concurrency: number; readonly ordered: boolean; readonly isClass: boolean; readonly repeats: boolean }
    | { readonly kind: 'batch'; readonly by: boolean; readonly weight: boolean; readonly max: number; readonly maxOpen: number }
    | { readonly kind: 'dedup' }
    | { readonly kind: 'limit'; readonly max: number }
    | { readonly kind: 'sample'; readonly takes: boolean }
    | { readonly kind: 'process'; readonly async: Asynchrony; readonly finishes: boolean }
    /** The branches are steps of their own: `branch`. A split has no other output. */
    | { readonly kind: 'route' | 'split'; readonly async: Asynchrony; readonly isClass: boolean }
    | { readonly kind: 'branch'; readonly name: 'a' | 'b' }
    /** Side output of a class. */
    | { readonly kind: 'side' }
    | { readonly kind: 'letters' }
    | TimedCall
    | { readonly kind: 'sink' };
  readonly salt: number;
  readonly inputs: readonly number[];
  /** `undefined`: not set. */
  readonly parallelism: number | undefined;
  readonly policy: Policy | undefined;
}

/** Whether a function gives promises: never, always, or for some records. */
export type Asynchrony = 'never' | 'always' | 'sometimes';

const CAN_FAIL: ReadonlySet<string> = new Set(['map', 'filter', 'flatMap', 'keyBy', 'aggregate', 'mapAsync', 'batch', 'dedup', 'process', 'route', 'split', 'timestamps', 'comap', 'keyed']);

/** Whether failing rows of a step become dead letters. */
export function givesLetters({ policy }: Step): boolean {
  return policy === 'deadLetter' || policy === 'retryDeadLetter';
}

/** Whether a step has side outputs. */
export function sendsAside({ call }: Step): boolean {
  return (call.kind === 'map' && call.isClass) || (call.kind === 'flatMap' && call.form === 'collector') || call.kind === 'process';
}

/** Whether a step is what comes out of another one, its owner, beside the owner's results. */
export function isBeside({ call }: Step): boolean {
  return call.kind === 'side' || call.kind === 'letters' || call.kind === 'branch';
}

/** Streams whose rows nobody takes. */
export function openStreams(steps: readonly Step[]): Step[] {
  const taken = new Set(steps.flatMap((step) => (isBeside(step) ? [] : step.inputs)));
  return steps.filter(({ id, call }) => call.kind !== 'sink' && call.kind !== 'split' && !taken.has(id));
}

const CALLS = [
  ...(['map', 'map', 'filter', 'flatMap', 'keyBy', 'keyBy', 'union', 'union', 'reduce', 'aggregate', 'aggregate', 'sink', 'source'] as const),
  ...(['mapAsync', 'mapAsync', 'batch', 'dedup', 'limit', 'sample', 'process', 'route', 'split', 'zipWithIndex', 'rebalance'] as const),
  ...(['timestamps', 'timestamps', 'timestamps', 'window', 'window', 'window', 'window', 'join', 'join', 'join', 'comap', 'keyed', 'keyed', 'stamp'] as const),
];

const NEEDS_TIME: ReadonlySet<string> = new Set(['stamp', 'window', 'join', 'keyed']);

/** The calls of the random pipeline of a seed: a DAG in which every stream ends in a sink. */
export function randomGraph(seed: number): Step[] {
  const random = new Random(seed);
  const steps: Step[] = [];
  const streams: Step[] = [];
  const facts: Facts[] = [];
  const add = (call: Step['call'], inputs: readonly Step[], parallelism?: number): Step => {
    const step: Step = { id: steps.length, call, salt: random.below(1000), inputs: inputs.map(({ id }) => id), parallelism, policy: policyOf(call) };
    steps.push(step);
    facts[step.id] = factsBehind(step, step.inputs.map((id) => facts[id]!));
    if (call.kind !== 'sink' && call.kind !== 'split') streams.push(step);
    return step;
  };
  const policyOf = (call: Step['call']): Policy | undefined => {
    const kind = call.kind === 'window' && (call.form === 'numbers' || call.form === 'all') ? 'aggregate' : call.kind;
    if (kind === 'reduce') return random.chance(0.3) ? 'flaky' : undefined;
    if (!CAN_FAIL.has(kind) || !random.chance(0.45)) return undefined;
    const policy = random.pick(['skip', 'deadLetter', 'retrySkip', 'retryDeadLetter', 'flaky'] as const);
    // A record that JavaScript leaves out has made its session longer by then: docs/guide/windows.md.
    return call.kind === 'window' && call.form === 'all' && call.window.kind === 'session' ? 'flaky' : policy;
  };
  const asynchrony = (): Asynchrony => random.pick(['never', 'never', 'never', 'sometimes', 'always']);
  const some = (): number | undefined => (random.chance(0.35) ? 1 + random.below(4) : undefined);
  /** Mostly one of the last streams, so that chains become long and diamonds close. */
  const input = (): Step => streams[streams.length - 1 - (random.chance(0.6) ? 0 : random.below(streams.length))]!;
  const source = (): void => {
    const form = random.pick(['collection', 'collection', 'generator', 'asyncGenerator', 'function'] as const);
    const rows = random.pick([0, 1, 2, 30, 100, 250]);
    add({ kind: 'source', form, rows }, [], form === 'collection' ? some() : undefined);
  };
  /** What comes out beside the results of a step: its dead letters, perhaps twice, and its side output. */
  const sides = (step: Step): void => {
    if (sendsAside(step) && random.chance(0.6)) add({ kind: 'side' }, [step]);
    for (let n = givesLetters(step) ? random.below(3) : 0; n > 0; n--) add({ kind: 'letters' }, [step]);
  };
  const branches = (step: Step): void => {
    // Each stream of a split is there once, those of a route whenever they are asked for.
    const again = step.call.kind === 'route' && random.chance(0.3) ? (['a'] as const) : [];
    for (const name of ['a', 'b', ...again] as const) add({ kind: 'branch', name }, [step]);
  };
  const stateful = (strategy: 'hash' | 'roundRobin' | undefined): number | undefined => (strategy === 'hash' ? some() : undefined);
  const timestamps = (from: Step): Step => {
    const tight = facts[from.id]!.inSequence && random.chance(0.8);
    const step = add({ kind: 'timestamps', tight }, [from], tight ? undefined : some());
    sides(step);
    return step;
  };
  const keyBy = (from: Step): Step => {
    const step = add({ kind: 'keyBy', async: asynchrony(), strategy: random.pick(['hash', 'hash', 'hash', 'roundRobin']) }, [from], some());
    sides(step);
    return step;
  };
  /** The stream itself, or mostly, where it has no event time, the same with one; then, if asked for, with a key. */
  const prepared = (from: Step, withKey: boolean): Step => {
    const timed = facts[from.id]!.time !== 'known' && random.chance(0.7) ? timestamps(from) : from;
    return withKey && facts[timed.id]!.keyed !== 'hash' && random.chance(0.7) ? keyBy(timed) : timed;
  };
  source();
  for (let length = 3 + random.below(14); length > 0; length--) {
    const kind = random.pick(CALLS);
    const from = NEEDS_TIME.has(kind) ? prepared(input(), kind === 'keyed' || random.chance(0.5)) : input();
    const { keyed: strategy, time } = facts[from.id]!;
    const isClass = random.chance(0.4);
    switch (kind) {
      case 'source':
        source();
        break;
      case 'map':
      case 'filter':
        sides(add({ kind, async: asynchrony(), isClass }, [from], some()));
        break;
      case 'flatMap': {
        const form = random.pick(['list', 'generator', 'collector', 'asyncGenerator'] as const);
        sides(add({ kind, async: asynchrony(), form }, [from], some()));
        break;
      }
      case 'keyBy':
        keyBy(from);
        break;
      case 'union':
        add({ kind }, [from, ...Array.from({ length: 1 + random.below(2) }, input)], some());
        break;
      case 'reduce':
        if (strategy !== 'roundRobin') add({ kind, async: asynchrony() }, [from], stateful(strategy));
        break;
      case 'aggregate':
        if (strategy !== 'roundRobin') sides(add({ kind, form: random.pick(['numbers', 'numbers', 'all', 'update']) }, [from], stateful(strategy)));
        break;
      case 'mapAsync':
        sides(add({ kind, async: asynchrony(), concurrency: random.pick([1, 2, 7]), ordered: random.chance(0.6), isClass, repeats: random.chance(0.5) }, [from], some()));
        break;
      case 'batch':
        sides(add({ kind, by: random.chance(0.3), weight: random.chance(0.5), max: 1 + random.below(9), maxOpen: random.pick([1, 2, 1000]) }, [from], some()));
        break;
      case 'dedup':
        if (strategy !== 'roundRobin') sides(add({ kind }, [from], stateful(strategy)));
        break;
      case 'limit':
        if (strategy !== 'roundRobin') add({ kind, max: random.pick([0, 1, 5, 50, 1000]) }, [from], stateful(strategy));
        break;
      case 'sample':
        add({ kind, takes: random.chance(0.8) }, [from], some());
        break;
      case 'process':
        sides(add({ kind, async: asynchrony(), finishes: strategy === undefined && random.chance(0.5) }, [from], some()));
        break;
      case 'route':
      case 'split': {
        const route = add({ kind, async: asynchrony(), isClass }, [from], some());
        branches(route);
        if (kind === 'route') sides(route);
        break;
      }
      case 'zipWithIndex':
      case 'rebalance':
        add({ kind }, [from], some());
        break;
      case 'sink':
        add({ kind }, [from]);
        break;
      case 'timestamps':
        timestamps(from);
        break;
      case 'stamp':
        if (time === 'known') add({ kind }, [from], some());
        break;
      case 'window': {
        if (strategy === 'roundRobin') break;
        const window = time === 'known' && random.chance(0.8) ? drawTimeWindow(random) : drawOtherWindow(random);
        sides(add({ kind, window, form: drawForm(random, window), latenessMs: random.pick([0, 0, 50]), tagsLate: random.chance(0.2) }, [from], stateful(strategy)));
        break;
      }
      case 'join': {
        const pair = [from, prepared(input(), strategy === 'hash')];
        const both = pair.map(({ id }) => facts[id]!);
        if (pairsOf(both.map(({ maxRows }) => maxRows)) > MAX_PAIRS) break;
        const own = random.chance(0.5) || both.some(({ keyed }) => keyed !== 'hash');
        add({ kind, join: drawJoin(random, both.every((one) => one.time === 'known')), async: asynchrony(), own }, pair, some());
        break;
      }
      case 'comap':
        sides(add({ kind, async: asynchrony(), isClass, own: random.chance(0.4) }, [from, ...Array.from({ length: 1 + random.below(2) }, input)], some()));
        break;
      case 'keyed': {
        if (strategy !== 'hash') break;
        const form = time === 'known' ? random.pick(['count', 'buckets', 'buckets', 'total'] as const) : 'count';
        sides(add({ kind, async: asynchrony(), form }, [from], some()));
        break;
      }
    }
  }
  for (const open of openStreams(steps)) add({ kind: 'sink' }, [open]);
  return steps;
}
