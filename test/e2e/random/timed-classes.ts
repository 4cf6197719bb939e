import { BaseCoMapFunction, BaseJoinFunction, KeyedProcessFunction, MapFunction, type MapState, ProcessFunction, type ValueState } from '../../../ts/index.ts';
import { END_OF_TIME_MS, compute, keyedRows, rowOfResult, textOfKey, windowRow } from './functions.ts';
import type { Row } from './graph.ts';
import { type Spec, Trouble } from './trouble.ts';

/** Writes the event time into the row. */
export class StampRow extends MapFunction<Row, Row> {
  execute(row: Row): Row {
    return { ...row, t: this.ctx.timestamp! };
  }
}

/** Each input has a salt of its own. */
export class CoMapRows extends BaseCoMapFunction {
  readonly #spec: Spec;
  readonly #trouble: Trouble;
  constructor(spec: Spec) {
    super();
    this.#spec = spec;
    this.#trouble = new Trouble(spec);
  }
  #map(row: Row, input: number): Row | undefined | Promise<Row | undefined> {
    return this.#trouble.give(row, () => compute.map(this.#spec.salt + input, row));
  }
  map0(row: Row): Row | undefined | Promise<Row | undefined> {
    return this.#map(row, 0);
  }
  map1(row: Row): Row | undefined | Promise<Row | undefined> {
    return this.#map(row, 1);
  }
}

export class CoMapThree extends CoMapRows {
  readonly #salt: number;
  readonly #third: Trouble;
  constructor(spec: Spec) {
    super(spec);
    this.#salt = spec.salt;
    this.#third = new Trouble(spec);
  }
  map2(row: Row): Row | undefined | Promise<Row | undefined> {
    return this.#third.give(row, () => compute.map(this.#salt + 2, row));
  }
}

/** All pairs of a key. */
export class PairRows extends BaseJoinFunction<Row, Row> {
  readonly #spec: Spec;
  readonly #trouble: Trouble;
  readonly #kept = new Map<string, readonly [Row[], Row[]]>();
  constructor(spec: Spec) {
    super();
    this.#spec = spec;
    this.#trouble = new Trouble(spec);
  }
  execute(row: Row, key: unknown, tag: number): unknown {
    const text = textOfKey(key);
    const sides = this.#kept.get(text) ?? [[], []];
    this.#kept.set(text, sides);
    sides[tag]!.push(row);
    return this.#trouble.give(row, () => {
      for (const other of sides[1 - tag]!) {
        const pair = tag === 0 ? compute.pair(this.#spec.salt, row, other) : compute.pair(this.#spec.salt, other, row);
        if (pair !== undefined) this.collect(pair);
      }
    });
  }
}

/** A window with its rows. */
export interface RowWindow {
  readonly key?: unknown;
  readonly start: number;
  readonly end: number;
  readonly elements: readonly Row[];
}

/** The row of a window, whatever the order of its own. */
export function rowOfWindow({ key, start, end, elements }: RowWindow): Row {
  return windowRow({ start, end }, rowOfResult({ key, n: elements.length, sizes: elements.map(({ v }) => v).toSorted((a, b) => a - b) }));
}

export class WindowProcesses extends ProcessFunction<RowWindow, Row> {
  execute(window: RowWindow): void {
    this.collect(rowOfWindow(window));
  }
}

/** What is written before it is known whether the attempt fails has to be taken back then. */
export class KeyedProcesses extends KeyedProcessFunction<unknown, Row, Row> {
  readonly #form: 'count' | 'buckets' | 'total';
  readonly #trouble: Trouble;
  #seen!: ValueState<readonly [n: number, total: number], readonly [n: number, total: number]>;
  #buckets!: MapState<number, readonly [n: number, total: number]>;

  constructor(spec: Spec, form: 'count' | 'buckets' | 'total') {
    super();
    this.#form = form;
    this.#trouble = new Trouble(spec);
  }

  override open(): void {
    this.#seen = this.ctx.state.value('seen', { default: [0, 0] as const });
    this.#buckets = this.ctx.state.map('buckets');
  }

  execute(row: Row): unknown {
    const { key, timers, timestamp } = this.ctx;
    if (this.#form === 'buckets') {
      const end = keyedRows.bucketEnd(timestamp!);
      const [n, total] = this.#buckets.get(end) ?? [0, 0];
      this.#buckets.set(end, [n + 1, total + row.v]);
      timers.eventTime(end);
    } else {
      const [n, total] = this.#seen.get();
      this.#seen.set([n + 1, total + row.v]);
      if (this.#form === 'count') this.collect(keyedRows.count(key, n + 1));
      else timers.eventTime(END_OF_TIME_MS);
    }
    return this.#trouble.give(row, () => undefined);
  }

  override onTimer(time: number): void {
    const { key } = this.ctx;
    if (this.#form === 'total') {
      const [n, total] = this.#seen.get();
      this.collect(keyedRows.total(key, n, total));
      this.#seen.clear();
    } else {
      this.collect(keyedRows.bucket(key, time, ...this.#buckets.get(time)!));
      this.#buckets.delete(time);
    }
  }
}
