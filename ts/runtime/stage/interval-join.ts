import type { StageNode } from '../../compiler/physical-plan.ts';
import type { IntervalJoinSettings, SidedRecord } from '../../transformations/interval-join-transformation.ts';
import { keepsLeft, keepsRight } from '../../transformations/join-type.ts';
import { DueTimes } from './due-times.ts';
import type { HeldResults, HoldingOperator } from './holding-operator.ts';
import { JoinBuffer } from './join-buffer.ts';
import { keyIdentity } from './key-identity.ts';
import { RESULT_ROWS } from './keyed-operator.ts';
import type { Pushed } from './linked-node.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { StreamTime } from './stage-times.ts';
import { withTime } from './with-time.ts';

/** What waits of one key. */
interface KeyBuffers {
  readonly key: unknown;
  readonly left: JoinBuffer;
  readonly right: JoinBuffer;
  /** When the first of it has to be looked at; an entry of another time no longer holds. */
  dueTime: number;
}

/**
 * The interval join of one task. A record is paired with what has come of the other side, and kept for what will, until the
 * watermark says that no partner can come any more.
 */
export class IntervalJoin implements HoldingOperator {
  readonly inFlight = 0;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #settings: IntervalJoinSettings;
  readonly #keys = new Map<unknown, KeyBuffers>();
  readonly #due = new DueTimes<KeyBuffers>();
  #pairs: (readonly [unknown, unknown])[] = [];
  #times: number[] = [];
  #watermark = Number.NEGATIVE_INFINITY;
  /** To be said below when the results so far have left. */
  #behind: StreamTime | undefined;

  constructor(node: StageNode, bindings: StageBindings) {
    const { op } = node;
    if (op.kind !== 'intervalJoin') throw new TypeError(`operator '${op.kind}' joins nothing`);
    this.#node = node;
    this.#bindings = bindings;
    this.#settings = op.settings;
  }

  /** Pairs leave before more of them are made. */
  get isFull(): boolean {
    return this.#pairs.length >= RESULT_ROWS;
  }

  /** Records that wait for partners, and keys that have some. */
  get waiting(): { readonly records: number; readonly keys: number } {
    let records = 0;
    for (const { left, right } of this.#keys.values()) records += left.size + right.size;
    return { records, keys: this.#keys.size };
  }

  /** The generated form: takes a record; its pairs are taken with `takeResults`. */
  submit(value: unknown, key: unknown): void {
    this.#take(value as SidedRecord, key, this.#bindings.control.time!);
    if (this.isFull) this.#bindings.control.stop = true;
  }

  #take([side, record]: SidedRecord, key: unknown, time: number): void {
    const { late } = this.#bindings;
    if (time < this.#watermark) {
      // Its partners may have been let go: what it would be paired with would depend on chance.
      late[this.#node.id]!++;
      return;
    }
    const { beforeMs, afterMs } = this.#settings;
    const identity = keyIdentity(key);
    let buffers = this.#keys.get(identity);
    if (buffers === undefined) {
      buffers = { key, left: new JoinBuffer(), right: new JoinBuffer(), dueTime: Number.POSITIVE_INFINITY };
      this.#keys.set(identity, buffers);
    }
    const isLeft = side === 0;
    const others = isLeft ? buffers.right.between(time - beforeMs, time + afterMs) : buffers.left.between(time - afterMs, time + beforeMs);
    let hasPartner = false;
    for (const other of others) {
      hasPartner = true;
      other.hasPartner = true;
      this.#give(isLeft ? [record, other.record] : [other.record, record], Math.max(time, other.time));
    }
    (isLeft ? buffers.left : buffers.right).add({ time, record, hasPartner });
    this.#schedule(buffers);
  }

  #give(pair: readonly [unknown, unknown], time: number): void {
    this.#pairs.push(pair);
    this.#times.push(time);
  }

  #schedule(buffers: KeyBuffers): void {
    const { beforeMs, afterMs } = this.#settings;
    const due = Math.min(buffers.left.firstTime + afterMs, buffers.right.firstTime + beforeMs);
    if (due >= buffers.dueTime) return;
    buffers.dueTime = due;
    this.#due.add(due, buffers);
  }

  /** Lets go of what can have no partner any more. */
  #letGo(watermark: number): void {
    const { beforeMs, afterMs, type } = this.#settings;
    const { id } = this.#node;
    const { dropped } = this.#bindings;
    for (let next = this.#due.takeBefore(watermark); next !== undefined; next = this.#due.takeBefore(watermark)) {
      const buffers = next.value;
      if (next.time !== buffers.dueTime) continue;
      for (const { time, record, hasPartner } of buffers.left.takeBefore(watermark - afterMs)) {
        if (hasPartner) continue;
        if (keepsLeft(type)) this.#give([record, undefined], time);
        else dropped[id]!++;
      }
      for (const { time, record, hasPartner } of buffers.right.takeBefore(watermark - beforeMs)) {
        if (hasPartner) continue;
        if (keepsRight(type)) this.#give([undefined, record], time);
        else dropped[id]!++;
      }
      buffers.dueTime = Number.POSITIVE_INFINITY;
      if (buffers.left.size + buffers.right.size === 0) this.#keys.delete(keyIdentity(buffers.key));
      else this.#schedule(buffers);
    }
  }

  push(value: unknown, key: unknown): Pushed {
    this.#take(value as SidedRecord, key, this.#bindings.control.time!);
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

  dueInMs(): number | undefined {
    return this.#pairs.length > 0 ? 0 : undefined;
  }

  closeDue(): void {}

  timeChanged(time: StreamTime): void {
    this.#watermark = time.watermark;
    this.#behind = time;
    this.#letGo(time.watermark);
    if (this.#pairs.length > 0) this.#bindings.control.stop = true;
  }

  /** A record without a partner is given with its own time, long after it came: event time below stays so far behind. */
  sayTime(): void {
    if (this.#behind === undefined || this.#pairs.length > 0) return;
    const { beforeMs, afterMs, type } = this.#settings;
    const heldBackMs = Math.max(keepsLeft(type) ? afterMs : 0, keepsRight(type) ? beforeMs : 0);
    const { watermark, isIdle } = this.#behind;
    this.#behind = undefined;
    this.#bindings.times!.say(this.#node.id, watermark - heldBackMs, isIdle);
  }

  /** There are no more records, and so no more partners. */
  end(): void {
    this.#letGo(Number.POSITIVE_INFINITY);
  }
}
