import type { StageNode } from '../../compiler/physical-plan.ts';
import type { IntervalJoinSettings, SidedRecord } from '../../transformations/interval-join-transformation.ts';
import { keepsLeft, keepsRight } from '../../transformations/join-type.ts';
import { JoinBuffers } from './join-buffers.ts';
import { PairHolder } from './pair-holder.ts';
import type { StageBindings } from './stage-bindings.ts';

/**
 * The interval join of one task. A record is paired with what has come of the other side, and kept for what will, until the
 * watermark says that no partner can come any more.
 */
export class IntervalJoin extends PairHolder {
  readonly #settings: IntervalJoinSettings;
  readonly #buffers: JoinBuffers;

  constructor(node: StageNode, bindings: StageBindings) {
    const { op } = node;
    if (op.kind !== 'intervalJoin') throw new TypeError(`operator '${op.kind}' joins nothing`);
    const { settings } = op;
    const { beforeMs, afterMs, type } = settings;
    // A record without a partner is given with its own time, long after it came.
    super(node, bindings, Math.max(keepsLeft(type) ? afterMs : 0, keepsRight(type) ? beforeMs : 0));
    this.#settings = settings;
    this.#buffers = new JoinBuffers(({ left, right }) => Math.min(left.firstTime + afterMs, right.firstTime + beforeMs));
  }

  get waiting(): { readonly records: number; readonly keys: number } {
    return this.#buffers.waiting;
  }

  protected saved(): Iterable<readonly [key: unknown, kept: unknown]> {
    return this.#buffers.saved();
  }

  protected changes(): Iterable<readonly [key: unknown, kept: unknown]> | undefined {
    return this.#buffers.changes();
  }

  protected keep(key: unknown, kept: unknown): void {
    this.#buffers.keep(key, kept);
  }

  protected take([side, record]: SidedRecord, key: unknown, time: number): void {
    const { beforeMs, afterMs } = this.#settings;
    const buffers = this.#buffers.of(key);
    const isLeft = side === 0;
    const others = isLeft ? buffers.right.between(time - beforeMs, time + afterMs) : buffers.left.between(time - afterMs, time + beforeMs);
    let hasPartner = false;
    for (const other of others) {
      hasPartner = true;
      other.hasPartner = true;
      this.give(isLeft ? [record, other.record] : [other.record, record], Math.max(time, other.time));
    }
    (isLeft ? buffers.left : buffers.right).add({ time, record, hasPartner });
    this.#buffers.schedule(buffers);
  }

  protected letGo(watermark: number): void {
    const { beforeMs, afterMs, type } = this.#settings;
    this.#buffers.letGo(watermark, ({ left, right }) => {
      for (const { time, record, hasPartner } of left.takeBefore(watermark - afterMs)) {
        if (hasPartner) continue;
        if (keepsLeft(type)) this.give([record, undefined], time);
        else this.drop(1);
      }
      for (const { time, record, hasPartner } of right.takeBefore(watermark - beforeMs)) {
        if (hasPartner) continue;
        if (keepsRight(type)) this.give([undefined, record], time);
        else this.drop(1);
      }
    });
  }
}
