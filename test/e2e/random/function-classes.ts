import { FilterFunction, FlatMapFunction, MapFunction, ProcessFunction } from '../../../ts/index.ts';
import { compute, finishedRow } from './functions.ts';
import type { Row } from './graph.ts';
import { type Spec, Trouble } from './trouble.ts';

/** Tag of all side outputs. */
export const SIDE = 'side';

export class MapRow extends MapFunction<Row, Row | undefined> {
  readonly #spec: Spec;
  readonly #hasSide: boolean;
  readonly #trouble: Trouble;
  constructor(spec: Spec, hasSide: boolean) {
    super();
    this.#spec = spec;
    this.#hasSide = hasSide;
    this.#trouble = new Trouble(spec);
  }
  execute(row: Row): Row | undefined | Promise<Row | undefined> {
    const side = compute.side(this.#spec.salt, row);
    // Before it is known whether the attempt fails.
    if (side !== undefined && this.#hasSide) this.output(SIDE, side);
    return this.#trouble.give(row, () => compute.map(this.#spec.salt, row));
  }
}

/** For `mapAsync`, whose functions have no side outputs. */
export class CallRow extends MapFunction<Row, Row | undefined> {
  readonly #spec: Spec;
  readonly #trouble: Trouble;
  constructor(spec: Spec) {
    super();
    this.#spec = spec;
    this.#trouble = new Trouble(spec);
  }
  execute(row: Row): Row | undefined | Promise<Row | undefined> {
    return this.#trouble.give(row, () => compute.map(this.#spec.salt, row));
  }
}

export class FilterRow extends FilterFunction<Row> {
  readonly #spec: Spec;
  readonly #trouble: Trouble;
  constructor(spec: Spec) {
    super();
    this.#spec = spec;
    this.#trouble = new Trouble(spec);
  }
  execute(row: Row): boolean | Promise<boolean> {
    return this.#trouble.give(row, () => compute.filter(this.#spec.salt, row));
  }
}

export class Collects extends FlatMapFunction<Row, Row> {
  readonly #spec: Spec;
  readonly #hasSide: boolean;
  readonly #trouble: Trouble;
  constructor(spec: Spec, hasSide: boolean) {
    super();
    this.#spec = spec;
    this.#hasSide = hasSide;
    this.#trouble = new Trouble(spec);
  }
  execute(row: Row): Row[] | Promise<Row[]> {
    const { salt } = this.#spec;
    const [first, ...rest] = compute.flatMap(salt, row);
    if (first !== undefined) this.collect(first);
    const side = compute.side(salt, row);
    if (side !== undefined && this.#hasSide) this.output(SIDE, side);
    return this.#trouble.give(row, () => rest);
  }
}

export class Processes extends ProcessFunction<Row, Row> {
  readonly #spec: Spec;
  readonly #hasSide: boolean;
  readonly #finishes: boolean;
  readonly #trouble: Trouble;
  constructor(spec: Spec, hasSide: boolean, finishes: boolean) {
    super();
    this.#spec = spec;
    this.#hasSide = hasSide;
    this.#finishes = finishes;
    this.#trouble = new Trouble(spec);
  }
  execute(row: Row): unknown {
    const { salt } = this.#spec;
    const [first, ...rest] = compute.flatMap(salt, row);
    if (first !== undefined) this.collect(first);
    const side = compute.side(salt, row);
    if (side !== undefined && this.#hasSide) this.output(SIDE, side);
    return this.#trouble.give(row, () => rest.forEach((one) => this.collect(one)));
  }
  override finish(): void | Promise<void> {
    if (!this.#finishes || this.ctx.parallelIndex !== 0) return undefined;
    const collect = (): void => this.collect(finishedRow(this.#spec.salt));
    if (this.#spec.async === 'never') return collect();
    return Promise.resolve().then(collect);
  }
}

/** Without #private members: an object, not a class, is given to `route`, and copied for each instance. */
export class RouteRow extends MapFunction<Row, 'a' | 'b' | readonly ('a' | 'b')[]> {
  readonly spec: Spec;
  readonly trouble: Trouble;
  constructor(spec: Spec) {
    super();
    this.spec = spec;
    this.trouble = new Trouble(spec);
  }
  execute(row: Row): ReturnType<typeof compute.routes> | Promise<ReturnType<typeof compute.routes>> {
    return this.trouble.give(row, () => compute.routes(this.spec.salt, row));
  }
}
