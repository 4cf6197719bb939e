import {
  type DataStream,
  END,
  FilterFunction,
  FlatMapFunction,
  type KeyedStream,
  type LocalEnvironment,
  MapFunction,
  aggregator,
  avg,
  count,
  countDistinct,
  max,
  min,
  sum,
} from '../../../ts/index.ts';
import { compute, rowOfResult, textOfKey } from './functions.ts';
import type { Asynchrony, Row, Step } from './graph.ts';

/** Gives a value now or later; later by one turn of the event loop now and then. */
function later<T>(how: Asynchrony, row: Row, value: T): T | Promise<T> {
  if (how === 'never' || (how === 'sometimes' && !compute.isAsync(row))) return value;
  return row.v % 50 === 0 ? new Promise((resolve) => setImmediate(resolve, value)) : Promise.resolve(value);
}

class MapRow extends MapFunction<Row, Row | undefined> {
  readonly #salt: number;
  readonly #async: Asynchrony;
  constructor(salt: number, how: Asynchrony) {
    super();
    this.#salt = salt;
    this.#async = how;
  }
  execute(row: Row): Row | undefined | Promise<Row | undefined> {
    return later(this.#async, row, compute.map(this.#salt, row));
  }
}

class FilterRow extends FilterFunction<Row> {
  readonly #salt: number;
  readonly #async: Asynchrony;
  constructor(salt: number, how: Asynchrony) {
    super();
    this.#salt = salt;
    this.#async = how;
  }
  execute(row: Row): boolean | Promise<boolean> {
    return later(this.#async, row, compute.filter(this.#salt, row));
  }
}

class Collects extends FlatMapFunction<Row, Row> {
  readonly #salt: number;
  readonly #async: Asynchrony;
  constructor(salt: number, how: Asynchrony) {
    super();
    this.#salt = salt;
    this.#async = how;
  }
  execute(row: Row): Row[] | Promise<Row[]> {
    const [first, ...rest] = compute.flatMap(this.#salt, row);
    if (first !== undefined) this.collect(first);
    return later(this.#async, row, rest);
  }
}

/** Builds the calls in an environment; array sink `n` is the n-th of `sinks`. With `serial`, no parallelism is set. */
export function buildGraph(env: LocalEnvironment, prefix: string, steps: readonly Step[], sinks: Row[][], serial: boolean): void {
  const streams: DataStream<Row>[] = [];
  for (const step of steps) {
    const stream = call(env, step, step.inputs.map((id) => streams[id]!), sinks).named(`${prefix}${step.id}`);
    const placed = serial || step.parallelism === undefined ? stream : stream.parallelism(step.parallelism);
    streams[step.id] = afterwards(step, placed, `${prefix}${step.id}`);
  }
}

/** Calls that a step makes behind its own: results become rows again, rows note their key. */
function afterwards({ call: { kind }, salt }: Step, stream: DataStream<Row>, name: string): DataStream<Row> {
  if (kind === 'aggregate') return (stream as DataStream<unknown> as DataStream<Record<string, unknown>>).map(rowOfResult).named(`${name}'`);
  if (kind === 'keyBy') return stream.map((row) => ({ ...row, k: textOfKey(compute.key(salt, row)) })).named(`${name}'`);
  return stream;
}

function call(env: LocalEnvironment, { call, salt }: Step, inputs: readonly DataStream<Row>[], sinks: Row[][]): DataStream<Row> {
  const [input, ...others] = inputs as [DataStream<Row>, ...DataStream<Row>[]];
  switch (call.kind) {
    case 'source':
      return source(env, call.form, call.rows, salt);
    case 'map':
      if (call.isClass) return input.map(MapRow, salt, call.async) as DataStream<Row>;
      return input.map((row) => later(call.async, row, compute.map(salt, row)));
    case 'filter':
      if (call.isClass) return input.filter(FilterRow, salt, call.async);
      return input.filter((row) => later(call.async, row, compute.filter(salt, row)));
    case 'flatMap':
      switch (call.form) {
        case 'list':
          return input.flatMap((row) => later(call.async, row, compute.flatMap(salt, row)) as Row[]);
        case 'generator':
          return input.flatMap(function* (row: Row) {
            yield* compute.flatMap(salt, row);
          });
        case 'asyncGenerator':
          return input.flatMap(async function* (row: Row) {
            yield* compute.flatMap(salt, row);
          });
        case 'collector':
          return input.flatMap(Collects, salt, call.async);
      }
      break;
    case 'keyBy':
      return input.keyBy((row) => later(call.async, row, compute.key(salt, row)), { strategy: call.strategy });
    case 'union':
      return input.union(...others);
    case 'reduce':
      return input.reduce((a, b) => later(call.async, b, compute.reduce(a, b)));
    case 'aggregate':
      return aggregate(input, call.form) as DataStream<Row>;
    case 'sink': {
      const target: Row[] = [];
      sinks.push(target);
      return input.sink(target);
    }
  }
  throw new TypeError('unknown call');
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

/** The sum of the squares, an aggregator that only JavaScript knows. */
const squares = aggregator({ init: () => 0, add: (a: number, row: Row) => a + row.v ** 2, merge: (a, b) => a + b, result: (a) => a });

function aggregate(input: DataStream<Row>, form: 'numbers' | 'all' | 'update'): DataStream<unknown> {
  // The same calls; the types differ.
  const stream = input as KeyedStream<unknown, Row>;
  switch (form) {
    case 'numbers':
      return stream.aggregate({ n: count(), total: sum('v'), lo: min('v'), hi: max((row) => row.v), mean: avg('v') });
    case 'all':
      return stream.aggregate({ n: count(), total: sum('v'), different: countDistinct('v'), squares });
    case 'update':
      return stream.aggregate({ n: count() }, { emit: 'update' });
  }
}
