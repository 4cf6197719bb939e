import type { StageNode } from '../../compiler/physical-plan.ts';
import type { IntervalJoinSettings, SidedRecord } from '../../transformations/interval-join-transformation.ts';
import { keepsLeft, keepsRight } from '../../transformations/join-type.ts';
import { DueTimes } from './due-times.ts';
import { JoinBuffer } from './join-buffer.ts';
import { keyIdentity } from './key-identity.ts';
import { PairHolder } from './pair-holder.ts';
import type { StageBindings } from './stage-bindings.ts';

/** What waits of one key. */
interface KeyBuffers {
  readonly identity: unknown;
  readonly left: JoinBuffer;
  readonly right: JoinBuffer;
  /** When the first of it has to be looked at; an entry of another time no longer holds. */
  dueTime: number;
}

/**
 * The interval join of one task. A record is paired with what has come of the other side, and kept for what will, until the
 * watermark says that no partner can come any more.
 */
export class IntervalJoin extends PairHolder {
  readonly #settings: IntervalJoinSettings;
  readonly #keys = new Map<unknown, KeyBuffers>();
  readonly #due = new DueTimes<KeyBuffers>();

  constructor(node: StageNode, bindings: StageBindings) {
    const { op } = node;
    if (op.kind !== 'intervalJoin') throw new TypeError(`operator '${op.kind}' joins nothing`);
    const { beforeMs, afterMs, type } = op.settings;
    // A record without a partner is given with its own time, long after it came.
    super(node, bindings, Math.max(keepsLeft(type) ? afterMs : 0, keepsRight(type) ? beforeMs : 0));
    this.#settings = op.settings;
  }

  get waiting(): { readonly records: number; readonly keys: number } {
    let records = 0;
    for (const { left, right } of this.#keys.values()) records += left.size + right.size;
    return { records, keys: this.#keys.size };
  }

  protected take([side, record]: SidedRecord, key: unknown, time: number): void {
    const { beforeMs, afterMs } = this.#settings;
    const identity = keyIdentity(key);
    let buffers = this.#keys.get(identity);
    if (buffers === undefined) {
      buffers = { identity, left: new JoinBuffer(), right: new JoinBuffer(), dueTime: Number.POSITIVE_INFINITY };
      this.#keys.set(identity, buffers);
    }
    const isLeft = side === 0;
    const others = isLeft ? buffers.right.between(time - beforeMs, time + afterMs) : buffers.left.between(time - afterMs, time + beforeMs);
    let hasPartner = false;
    for (const other of others) {
      hasPartner = true;
      other.hasPartner = true;
      this.give(isLeft ? [record, other.record] : [other.record, record], Math.max(time, other.time));
    }
    (isLeft ? buffers.left : buffers.right).add({ time, record, hasPartner });
    this.#schedule(buffers);
  }

  #schedule(buffers: KeyBuffers): void {
    const { beforeMs, afterMs } = this.#settings;
    const due = Math.min(buffers.left.firstTime + afterMs, buffers.right.firstTime + beforeMs);
    if (due >= buffers.dueTime) return;
    buffers.dueTime = due;
    this.#due.add(due, buffers);
  }

  protected letGo(watermark: number): void {
    const { beforeMs, afterMs, type } = this.#settings;
    for (let next = this.#due.takeBefore(watermark); next !== undefined; next = this.#due.takeBefore(watermark)) {
      const buffers = next.value;
      if (next.time !== buffers.dueTime) continue;
      for (const { time, record, hasPartner } of buffers.left.takeBefore(watermark - afterMs)) {
        if (hasPartner) continue;
        if (keepsLeft(type)) this.give([record, undefined], time);
        else this.drop(1);
      }
      for (const { time, record, hasPartner } of buffers.right.takeBefore(watermark - beforeMs)) {
        if (hasPartner) continue;
        if (keepsRight(type)) this.give([undefined, record], time);
        else this.drop(1);
      }
      buffers.dueTime = Number.POSITIVE_INFINITY;
      if (buffers.left.size + buffers.right.size === 0) this.#keys.delete(buffers.identity);
      else this.#schedule(buffers);
    }
  }
}
