import { SageError } from '../../common/errors.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { keyedValuePart, ownValuePart } from '../checkpoint/value-parts.ts';
import type { TableSettings } from '../../transformations/as-of-join-transformation.ts';
import type { SidedRecord } from '../../transformations/interval-join-transformation.ts';
import type { HeldResults, HoldingOperator } from './holding-operator.ts';
import { isThenable } from './is-thenable.ts';
import { RESULT_ROWS } from './keyed-operator.ts';
import type { Pushed } from './linked-node.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { StreamTime } from './stage-times.ts';
import { withTime } from './with-time.ts';

/** Two records that belong together; `undefined` for one that there is not. */
export type Pair = readonly [left: unknown, right: unknown];

/**
 * What joins by event time have in common: records are kept until the watermark says that they are no longer needed, pairs wait
 * until they can go below, and how far event time is there is said behind them.
 */
export abstract class PairHolder implements HoldingOperator {
  readonly inFlight = 0;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #heldBackMs: number;
  #pairs: Pair[] = [];
  #times: number[] = [];
  #watermark = Number.NEGATIVE_INFINITY;
  /** To be said below when the results so far have left. */
  #behind: StreamTime | undefined;

  /** @param heldBackMs how far results may be behind the watermark. */
  constructor(node: StageNode, bindings: StageBindings, heldBackMs: number) {
    this.#node = node;
    this.#bindings = bindings;
    this.#heldBackMs = heldBackMs;
  }

  /** Records that are kept, and keys that have some. */
  abstract get waiting(): { readonly records: number; readonly keys: number };

  /** What is kept of each key, once each. */
  protected abstract saved(): Iterable<readonly [key: unknown, kept: unknown]>;

  /** As `saved`, of keys that have changed since the last call of this or of `saved`: `KeyedValuePart.changes`. */
  protected abstract changes(): Iterable<readonly [key: unknown, kept: unknown]> | undefined;

  /** Keeps of a key what `saved` gave. */
  protected abstract keep(key: unknown, kept: unknown): void;

  /** Takes a record that is not late. */
  protected abstract take(record: SidedRecord, key: unknown, time: number): void;

  /** Nothing before the watermark will come any more. */
  protected abstract letGo(watermark: number): void;

  /** There are no more records, and `letGo` has been called for all times. */
  protected clear(): void {}

  /** Whether a record is not taken: its partners may have been let go, so that what it would be paired with would depend on chance. */
  protected isLate(time: number, watermark: number): boolean {
    return time < watermark;
  }

  /** Whether a record of a table takes away the row of its key. @throws SageError when the user's function fails. */
  protected deletesRow({ isDeleted }: TableSettings, record: unknown): boolean {
    if (record === null || record === undefined) return true;
    if (isDeleted === undefined) return false;
    const { control } = this.#bindings;
    try {
      const deletes = isDeleted(record as never);
      if (!isThenable(deletes)) return Boolean(deletes);
    } catch (error) {
      throw control.threw(error, this.#node.id, record);
    }
    throw control.threw(new SageError('SAGE_USER_WRONG_TYPE', 'the function deleted of asTable gave a promise; it must say at once whether a record deletes'), this.#node.id, record);
  }

  /** Gives a pair below. */
  protected give(pair: Pair, time: number): void {
    this.#pairs.push(pair);
    this.#times.push(time);
  }

  /** What is kept of each key, and how far event time is: pairs have left when a barrier comes. */
  stateParts(owner: PartOwner): StatePart[] {
    return [
      ownValuePart<number>(owner, {
        name: 'time',
        describe: () => 'the watermark',
        save: () => this.#watermark,
        restore: (saved) => {
          this.#watermark = Math.min(...saved.map(({ value }) => value));
        },
      }),
      keyedValuePart<unknown>(owner, {
        name: 'records',
        describe: () => 'a record that waits for its partners',
        save: () => this.saved(),
        changes: () => this.changes(),
        restore: (entries) => {
          for (const [key, kept] of entries) this.keep(key, kept);
        },
      }),
    ];
  }

  /** Counts records of which nothing becomes. */
  protected drop(records: number): void {
    this.#bindings.dropped[this.#node.id]! += records;
  }

  /** Pairs leave before more of them are made. */
  get isFull(): boolean {
    return this.#pairs.length >= RESULT_ROWS;
  }

  /** The generated form: takes a record; its pairs are taken with `takeResults`. */
  submit(value: unknown, key: unknown): void {
    this.#takeInTime(value as SidedRecord, key);
    if (this.isFull) this.#bindings.control.stop = true;
  }

  #takeInTime(record: SidedRecord, key: unknown): void {
    const { control, late } = this.#bindings;
    if (this.isLate(control.time!, this.#watermark)) late[this.#node.id]!++;
    else this.take(record, key, control.time!);
  }

  push(value: unknown, key: unknown): Pushed {
    this.#takeInTime(value as SidedRecord, key);
    const results = this.takeResults();
    return results === undefined ? undefined : this.#giveBelow(results);
  }

  /** The linked form: gives results below at once. */
  async #giveBelow({ records, times }: HeldResults): Promise<void> {
    const { counts, linked, control } = this.#bindings;
    const { id } = this.#node;
    for (const [n, pair] of records.entries()) {
      counts[id]!++;
      const pushed = withTime(control, times![n], () => linked[id]!.emit(pair, undefined));
      if (pushed !== undefined) await pushed;
      control.checkNotOver();
    }
  }

  work(): Pushed {
    return undefined;
  }

  takeResults(): HeldResults | undefined {
    if (this.#pairs.length === 0) return undefined;
    const results = { records: this.#pairs, keys: undefined, times: this.#times };
    this.#pairs = [];
    this.#times = [];
    return results;
  }

  /** @param _nowMs for those that go by the clock */
  dueInMs(_nowMs: number): number | undefined {
    return this.#pairs.length > 0 ? 0 : undefined;
  }

  /** @param _nowMs for those that go by the clock */
  closeDue(_nowMs: number): void {}

  timeChanged(time: StreamTime): void {
    // It may be behind that of a checkpoint for a while.
    this.#watermark = Math.max(this.#watermark, time.watermark);
    this.#behind = time;
    this.letGo(time.watermark);
    if (this.#pairs.length > 0) this.#bindings.control.stop = true;
  }

  sayTime(): void {
    if (this.#behind === undefined || this.#pairs.length > 0) return;
    const { watermark, isIdle } = this.#behind;
    this.#behind = undefined;
    this.#bindings.times!.say(this.#node.id, watermark - this.#heldBackMs, isIdle);
  }

  end(): void {
    this.letGo(Number.POSITIVE_INFINITY);
    this.clear();
  }
}
