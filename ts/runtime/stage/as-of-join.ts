import type { StageNode } from '../../compiler/physical-plan.ts';
import type { AsOfJoinSettings } from '../../transformations/as-of-join-transformation.ts';
import type { SidedRecord } from '../../transformations/interval-join-transformation.ts';
import { JoinBuffers, type KeyBuffers } from './join-buffers.ts';
import { PairHolder } from './pair-holder.ts';
import type { StageBindings } from './stage-bindings.ts';

/**
 * The as-of join of one task. A left record waits until the watermark has passed it, so that all right records up to its time have
 * come; it is then given with the latest of these. Of a key are kept the left records that wait, the latest right one before the
 * watermark, and all right ones behind that.
 */
export class AsOfJoin extends PairHolder {
  readonly #settings: AsOfJoinSettings;
  readonly #buffers: JoinBuffers = new JoinBuffers((buffers) => this.#dueTimeOf(buffers));

  constructor(node: StageNode, bindings: StageBindings) {
    const { op } = node;
    if (op.kind !== 'asOfJoin') throw new TypeError(`operator '${op.kind}' joins nothing`);
    super(node, bindings, 0);
    this.#settings = op.settings;
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
    const { table } = this.#settings;
    const isDeletion = side === 1 && table !== undefined && this.deletesRow(table, record);
    const buffers = this.#buffers.of(key);
    (side === 0 ? buffers.left : buffers.right).add({ time, record, hasPartner: false, isDeletion });
    this.#buffers.schedule(buffers);
  }

  #dueTimeOf({ left, right }: KeyBuffers): number {
    const { withinMs = Number.POSITIVE_INFINITY } = this.#settings;
    // The first right record goes when the next one has taken its place, when it is too old, or when it only says that there is none.
    return Math.min(left.firstTime, right.secondTime, right.firstIsDeletion ? right.firstTime : right.firstTime + withinMs);
  }

  protected letGo(watermark: number): void {
    const { withinMs = Number.POSITIVE_INFINITY, type } = this.#settings;
    this.#buffers.letGo(watermark, ({ left, right }) => {
      for (const { time, record } of left.takeBefore(watermark)) {
        const version = right.latestUntil(time);
        if (version !== undefined && version.isDeletion !== true && version.time >= time - withinMs) {
          version.hasPartner = true;
          this.give([record, version.record], time);
        } else if (type === 'left') this.give([record, undefined], time);
        else this.drop(1);
      }
      const replaced = right.takeReplaced(watermark);
      const outdated = this.#settings.withinMs === undefined ? [] : right.takeBefore(watermark - withinMs);
      const deletion = right.firstIsDeletion && right.firstTime < watermark ? right.takeFirst() : [];
      this.drop([...replaced, ...outdated, ...deletion].filter(({ hasPartner }) => !hasPartner).length);
    });
  }

  protected override clear(): void {
    for (const { right } of this.#buffers.takeAll()) this.drop(right.takeBefore(Number.POSITIVE_INFINITY).filter(({ hasPartner }) => !hasPartner).length);
  }
}
