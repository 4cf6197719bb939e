import type { StageNode } from '../../compiler/physical-plan.ts';
import type { AsOfJoinSettings } from '../../transformations/as-of-join-transformation.ts';
import type { SidedRecord } from '../../transformations/interval-join-transformation.ts';
import { DueTimes } from './due-times.ts';
import { JoinBuffer } from './join-buffer.ts';
import { keyIdentity } from './key-identity.ts';
import { PairHolder } from './pair-holder.ts';
import type { StageBindings } from './stage-bindings.ts';

/** What is kept of one key. */
interface KeyVersions {
  readonly identity: unknown;
  /** Records that wait until event time has passed them. */
  readonly left: JoinBuffer;
  /** The latest record before the watermark, and all behind that. */
  readonly right: JoinBuffer;
  /** When it has to be looked at next; an entry of another time no longer holds. */
  dueTime: number;
}

/**
 * The as-of join of one task. A left record waits until the watermark has passed it, so that all right records up to its time have
 * come; it is then given with the latest of these.
 */
export class AsOfJoin extends PairHolder {
  readonly #settings: AsOfJoinSettings;
  readonly #keys = new Map<unknown, KeyVersions>();
  readonly #due = new DueTimes<KeyVersions>();

  constructor(node: StageNode, bindings: StageBindings) {
    const { op } = node;
    if (op.kind !== 'asOfJoin') throw new TypeError(`operator '${op.kind}' joins nothing`);
    super(node, bindings, 0);
    this.#settings = op.settings;
  }

  get waiting(): { readonly records: number; readonly keys: number } {
    let records = 0;
    for (const { left, right } of this.#keys.values()) records += left.size + right.size;
    return { records, keys: this.#keys.size };
  }

  protected take([side, record]: SidedRecord, key: unknown, time: number): void {
    const identity = keyIdentity(key);
    let versions = this.#keys.get(identity);
    if (versions === undefined) {
      versions = { identity, left: new JoinBuffer(), right: new JoinBuffer(), dueTime: Number.POSITIVE_INFINITY };
      this.#keys.set(identity, versions);
    }
    (side === 0 ? versions.left : versions.right).add({ time, record, hasPartner: false });
    this.#schedule(versions);
  }

  #schedule(versions: KeyVersions): void {
    const { left, right } = versions;
    const { withinMs = Number.POSITIVE_INFINITY } = this.#settings;
    // The first right record goes when the next one has taken its place, or when it is too old.
    const due = Math.min(left.firstTime, right.secondTime, right.firstTime + withinMs);
    if (due >= versions.dueTime) return;
    versions.dueTime = due;
    this.#due.add(due, versions);
  }

  protected letGo(watermark: number): void {
    const { withinMs = Number.POSITIVE_INFINITY, type } = this.#settings;
    for (let next = this.#due.takeBefore(watermark); next !== undefined; next = this.#due.takeBefore(watermark)) {
      const versions = next.value;
      if (next.time !== versions.dueTime) continue;
      const { left, right } = versions;
      for (const { time, record } of left.takeBefore(watermark)) {
        const version = right.latestUntil(time);
        if (version !== undefined && version.time >= time - withinMs) {
          version.hasPartner = true;
          this.give([record, version.record], time);
        } else if (type === 'left') this.give([record, undefined], time);
        else this.drop(1);
      }
      const replaced = right.takeReplaced(watermark);
      const outdated = this.#settings.withinMs === undefined ? [] : right.takeBefore(watermark - withinMs);
      this.drop([...replaced, ...outdated].filter(({ hasPartner }) => !hasPartner).length);
      versions.dueTime = Number.POSITIVE_INFINITY;
      if (left.size + right.size === 0) this.#keys.delete(versions.identity);
      else this.#schedule(versions);
    }
  }

  protected override clear(): void {
    for (const { right } of this.#keys.values()) this.drop(right.takeBefore(Number.POSITIVE_INFINITY).filter(({ hasPartner }) => !hasPartner).length);
    this.#keys.clear();
  }
}
