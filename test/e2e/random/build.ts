import {
  type DataStream,
  END,
  type ErrorPolicy,
  type FailureOutcome,
  type KeyedStream,
  type LocalEnvironment,
  type RoutedStream,
  aggregator,
  avg,
  count,
  countDistinct,
  max,
  min,
  sum,
} from '../../../ts/index.ts';
import { buildTimed, rowsOfWindows } from './build-timed.ts';
import { CallRow, Collects, FilterRow, MapRow, Processes, RouteRow, SIDE } from './function-classes.ts';
import { compute, limitedRow, rowOfLetter, rowOfResult, textOfKey } from './functions.ts';
import { pass } from './held-rows.ts';
import { type Policy, RETRIES, type Row, type Step } from './graph.ts';
import { type Spec, Trouble } from './trouble.ts';

type RouteResult = ReturnType<typeof compute.routes>;

/** What is built of a graph so far. */
interface Build {
  readonly env: LocalEnvironment;
  readonly steps: readonly Step[];
  readonly sinks: Row[][];
  /** Streams of the steps themselves, for what comes out beside their results. */
  readonly raw: DataStream<Row>[];
  /** How many instances a step has, if it says so. */
  readonly instancesOf: (step: Step) => number | 'auto' | undefined;
  readonly splits: Map<number, Readonly<Record<'a' | 'b', DataStream<Row>>>>;
}

/** How many instances steps have: one each, as many as they say, or, those that say a number, as `'auto'` decides. */
export type Instances = 'one' | 'as they say' | 'auto';

/** Builds the calls in an environment; array sink `n` is the n-th of `sinks`. */
export function buildGraph(env: LocalEnvironment, prefix: string, steps: readonly Step[], sinks: Row[][], instances: Instances): void {
  const instancesOf = ({ parallelism }: Step): number | 'auto' | undefined => (instances === 'one' || parallelism === undefined ? undefined : instances === 'auto' ? 'auto' : parallelism);
  const build: Build = { env, steps, sinks, raw: [], instancesOf, splits: new Map() };
  const streams: DataStream<Row>[] = [];
  for (const step of steps) {
    const name = `${prefix}${step.id}`;
    const stream = call(build, step, step.inputs.map((id) => streams[id]!));
    if (stream === undefined) continue;
    stream.named(name);
    const parallelism = instancesOf(step);
    if (parallelism !== undefined && !hasOwnKeys(step)) stream.parallelism(parallelism);
    if (step.policy !== undefined) stream.onError(errorPolicy(step.policy));
    build.raw[step.id] = stream;
    const results = afterwards(step, stream, name);
    const isHeld = instances === 'auto' && step.call.kind === 'source';
    streams[step.id] = isHeld ? results.filter((row) => pass(step.salt, row)).inMain().named(`${name}'`) : results;
  }
}

/** Whether its number of instances is said behind its own `keyBy`. */
function hasOwnKeys({ call }: Step): boolean {
  return (call.kind === 'join' || call.kind === 'comap') && call.own;
}

function errorPolicy(policy: Policy): ErrorPolicy {
  switch (policy) {
    case 'skip':
    case 'deadLetter':
      return policy;
    case 'retrySkip':
      return retrying('skip');
    case 'retryDeadLetter':
      return retrying('deadLetter');
    case 'flaky':
      return retrying('fail');
  }
}

// oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
const retrying = (then: FailureOutcome): ErrorPolicy => ({ retry: RETRIES, backoffMs: 0, then });

/** Calls that a step makes behind its own: results become rows again, rows note their key. */
function afterwards(step: Step, stream: DataStream<Row>, name: string): DataStream<Row> {
  const { call, salt } = step;
  const other = stream as unknown;
  switch (call.kind) {
    case 'aggregate':
      return (other as DataStream<Record<string, unknown>>).map(rowOfResult).named(`${name}'`);
    case 'keyBy':
      return stream.map((row) => ({ ...row, k: textOfKey(compute.key(salt, row)) })).named(`${name}'`);
    case 'limit': {
      const keyed = stream.transformation.keyedBy !== undefined;
      return stream.map((row) => limitedRow(salt, row, keyed)).named(`${name}'`);
    }
    case 'batch': {
      const keyed = stream.transformation.keyedBy !== undefined;
      return (other as DataStream<Row[]>).flatMap((batch) => checkedBatch(call, salt, keyed, batch)).named(`${name}'`);
    }
    case 'zipWithIndex':
      return (other as DataStream<[Row, number]>)
        .map(([row, index]) => {
          if (!Number.isInteger(index) || index < 0) throw new Error(`index ${index}`);
          return row;
        })
        .named(`${name}'`);
    case 'dedup':
      return stream.map((row) => ({ ...row, t: 0 })).named(`${name}'`);
    case 'window':
      return rowsOfWindows(call, stream, name);
    default:
      return stream;
  }
}

function checkedBatch({ by, weight, max }: Step['call'] & { kind: 'batch' }, salt: number, keyed: boolean, batch: readonly Row[]): readonly Row[] {
  const total = weight ? batch.reduce((sum, row) => sum + compute.weight(salt, row), 0) : batch.length;
  if (batch.length === 0 || (total > max && batch.length > 1)) throw new Error(`a batch of ${batch.length} records that weigh ${total}, not ${max}`);
  const groups = new Set(batch.map((row) => (by ? row.v % 3 : keyed ? row.k : '')));
  if (groups.size > 1) throw new Error(`records of ${groups.size} groups in one batch`);
  return batch;
}

function call({ env, steps, sinks, raw, splits, instancesOf }: Build, step: Step, inputs: readonly DataStream<Row>[]): DataStream<Row> | undefined {
  const { call, salt, policy } = step;
  const [input, ...others] = inputs as [DataStream<Row>, ...DataStream<Row>[]];
  const spec: Spec = { salt, policy, async: 'async' in call ? call.async : 'never' };
  const trouble = new Trouble(spec);
  const hasSide = steps.some((other) => other.call.kind === 'side' && other.inputs[0] === step.id);
  switch (call.kind) {
    case 'source':
      return source(env, call.form, call.rows, salt);
    case 'map':
      if (call.isClass) return input.map(MapRow, spec, hasSide) as DataStream<Row>;
      return input.map((row) => trouble.give(row, () => compute.map(salt, row)));
    case 'filter':
      if (call.isClass) return input.filter(FilterRow, spec);
      return input.filter((row) => trouble.give(row, () => compute.filter(salt, row)));
    case 'flatMap':
      return flatMap(input, call.form, trouble, spec, hasSide);
    case 'keyBy':
      return input.keyBy((row) => trouble.give(row, () => compute.key(salt, row)), { strategy: call.strategy });
    case 'union':
      return input.union(...others);
    case 'reduce':
      return input.reduce((a, b) => trouble.give(b, () => compute.reduce(a, b)));
    case 'aggregate':
      return aggregate(input, call.form, trouble) as DataStream<Row>;
    case 'mapAsync': {
      const { concurrency, ordered, isClass, repeats } = call;
      const options = { concurrency, ordered, ...(repeats ? { retry: { retry: RETRIES, backoffMs: 0 } } : {}) };
      if (isClass) return input.mapAsync(CallRow, { ...options, args: [spec] }) as DataStream<Row>;
      return input.mapAsync((row) => trouble.give(row, () => compute.map(salt, row)), options);
    }
    case 'batch': {
      const options = {
        max: call.max,
        maxOpen: call.maxOpen,
        ...(call.weight ? { weight: (row: Row) => (trouble.strike(row), compute.weight(salt, row)) } : {}),
        ...(call.by ? { by: (row: Row) => (call.weight || trouble.strike(row), row.v % 3) } : {}),
      };
      return input.batch(options) as unknown as DataStream<Row>;
    }
    case 'dedup':
      return input.dedup((row) => (trouble.strike(row), compute.sameness(row)));
    case 'limit':
      return input.limit(call.max);
    case 'sample':
      return input.sample(call.takes ? { every: 1 } : 0);
    case 'process':
      return input.process(Processes, spec, hasSide, call.finishes);
    case 'route':
      return input.route(router(call.isClass, trouble, spec, salt));
    case 'split': {
      const branches = input.split(router(call.isClass, trouble, spec, salt), ['a', 'b']);
      splits.set(step.id, branches);
      if (policy !== undefined) branches.a.onError(errorPolicy(policy));
      return undefined;
    }
    case 'branch': {
      const from = step.inputs[0]!;
      const split = splits.get(from);
      return split === undefined ? (raw[from] as RoutedStream<Row>).to(call.name) : split[call.name];
    }
    case 'side':
      return raw[step.inputs[0]!]!.sideOutput<Row>(SIDE);
    case 'letters':
      return raw[step.inputs[0]!]!
        .deadLetters<Row>()
        .map(({ record, key, attempts, error }) => rowOfLetter(record, key, attempts, error.message));
    case 'zipWithIndex':
      return input.zipWithIndex() as unknown as DataStream<Row>;
    case 'rebalance':
      return input.rebalance();
    case 'timestamps':
    case 'stamp':
    case 'window':
    case 'join':
    case 'comap':
    case 'keyed':
      return buildTimed(call, inputs, { step, spec, trouble, parallelism: instancesOf(step) });
    case 'sink': {
      const target: Row[] = [];
      sinks.push(target);
      return input.sink(target);
    }
  }
}

/** A router of one step, as a function or as an object of a class. */
function router(isClass: boolean, trouble: Trouble, spec: Spec, salt: number): ((row: Row) => RouteResult | Promise<RouteResult>) | RouteRow {
  return isClass ? new RouteRow(spec) : (row) => trouble.give(row, () => compute.routes(salt, row));
}

function flatMap(input: DataStream<Row>, form: 'list' | 'generator' | 'asyncGenerator' | 'collector', trouble: Trouble, spec: Spec, hasSide: boolean): DataStream<Row> {
  const { salt } = spec;
  switch (form) {
    case 'list':
      return input.flatMap((row) => trouble.give(row, () => compute.flatMap(salt, row)) as Row[]);
    // In the middle of its results.
    case 'generator':
      return input.flatMap(function* (row: Row) {
        const [first, ...rest] = compute.flatMap(salt, row);
        if (first !== undefined) yield first;
        trouble.strike(row);
        yield* rest;
      });
    case 'asyncGenerator':
      return input.flatMap(async function* (row: Row) {
        const [first, ...rest] = compute.flatMap(salt, row);
        if (first !== undefined) yield first;
        trouble.strike(row);
        yield* rest;
      });
    case 'collector':
      return input.flatMap(Collects, spec, hasSide);
  }
}

function source(env: LocalEnvironment, form: string, rows: number, salt: number): DataStream<Row> {
  let n = 0;
  switch (form) {
    case 'generator':
      return env.fromSource(function* () {
        for (let row = 0; row < rows; row++) yield compute.source(salt, row);
      });
    case 'asyncGenerator':
      return env.fromSource(async function* () {
        for (let row = 0; row < rows; row++) {
          if (row % 40 === 39) await new Promise((resolve) => setImmediate(resolve));
          yield compute.source(salt, row);
        }
      });
    case 'function':
      return env.fromSource(() => (n === rows ? END : compute.source(salt, n++)));
    default:
      return env.fromCollection(Array.from({ length: rows }, (_, row) => compute.source(salt, row)));
  }
}

function aggregate(input: DataStream<Row>, form: 'numbers' | 'all' | 'update', trouble: Trouble): DataStream<unknown> {
  // The same calls; the types differ.
  const stream = input as KeyedStream<unknown, Row>;
  const struck = <V>(row: Row, value: V): V => (trouble.strike(row), value);
  switch (form) {
    case 'numbers':
      return stream.aggregate({ n: count(), total: sum('v'), lo: min('v'), hi: max((row) => struck(row, row.v)), mean: avg('v') });
    case 'all': {
      /** The sum of the squares, an aggregator that only JavaScript knows. */
      const squares = aggregator({ init: () => 0, add: (a: number, row: Row) => struck(row, a + row.v ** 2), merge: (a, b) => a + b, result: (a) => a });
      return stream.aggregate({ n: count(), total: sum('v'), squares, different: countDistinct('v') });
    }
    case 'update':
      return stream.aggregate({ n: count(), zero: sum((row) => struck(row, 0)) }, { emit: 'update' });
  }
}
