import { SageError } from '../../common/errors.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';
import { ChangedKeys } from '../checkpoint/changed-keys.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import { type StatePart, takenOver } from '../checkpoint/state-part.ts';
import { keyedValuePart, ownValuePart } from '../checkpoint/value-parts.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import type { BatchSettings } from '../../transformations/batch-transformation.ts';
import type { HeldResults, HoldingOperator } from './holding-operator.ts';
import { isDividedByKey } from './is-divided-by-key.ts';
import { keyIdentity, keyOfIdentity } from './key-identity.ts';
import type { Pushed } from './linked-node.ts';
import { recordBytes } from './record-bytes.ts';
import { readSelector } from './record-gates.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { StreamTime } from './stage-times.ts';

interface OpenBatch {
  records: unknown[];
  /** The greatest event time of its records; negative infinity where they have none. */
  time: number;
  weight: number;
  bytes: number;
  /** When its first record came. */
  readonly sinceMs: number;
  /** Key of its records, on a keyed stream. */
  readonly key: unknown;
  /** How many were opened before it. */
  readonly place: number;
}

/** An open batch in a checkpoint. */
interface SavedBatch {
  /** Key of its records on a keyed stream, or what `by` gave. */
  readonly group: unknown;
  readonly records: unknown[];
  readonly time: number;
  readonly weight: number;
  readonly bytes: number;
  /** When its first record came, in epoch milliseconds, as the other clock begins anew. */
  readonly sinceAtMs: number;
  /** How many of its instance were opened before it. */
  readonly place: number;
}

/** What an open batch may have of what is limited. */
interface Limits {
  readonly weight: number;
  readonly bytes: number;
}

/** The `batch` of one task. A batch that is full is given back by `add`, unless others have to go before it; others close by time, or at the end. */
export class Batcher implements HoldingOperator {
  readonly inFlight = 0;
  /** Event time of the batch that `add` gave last. */
  time: number | undefined = undefined;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #settings: BatchSettings;
  readonly #keyed: boolean;
  readonly #limits: Limits;
  readonly #group: ((record: unknown, key: unknown) => unknown) | undefined;
  readonly #weigh: ((record: unknown) => number) | undefined;
  /** How far event time is where records come in. */
  #time: StreamTime | undefined;
  /** The least event time of batches that were taken and may not have gone below yet. */
  #taken = Number.POSITIVE_INFINITY;
  /** By group, in the order in which they were opened. */
  readonly #open = new Map<unknown, OpenBatch>();
  /** In the order in which they leave. */
  #closed: OpenBatch[] = [];
  #opened = 0;
  /** Groups of open batches, where they are saved by key. */
  readonly #changed = new ChangedKeys();

  constructor(node: StageNode, bindings: StageBindings) {
    const { op } = node;
    if (op.kind !== 'batch') throw new TypeError(`operator '${op.kind}' makes no batches`);
    const { by, weight, max, bytes } = op.settings;
    this.#node = node;
    this.#bindings = bindings;
    this.#settings = op.settings;
    this.#keyed = op.keyed;
    this.#limits = { weight: max ?? Number.POSITIVE_INFINITY, bytes: bytes ?? Number.POSITIVE_INFINITY };
    const read = by === undefined ? undefined : readSelector(by);
    if (read !== undefined) this.#group = (record) => keyIdentity(read(record));
    else if (op.keyed) this.#group = (_record, key) => keyIdentity(key);
    this.#weigh = weight as ((record: unknown) => number) | undefined;
  }

  /** Closed batches leave before others are made: one record may close several, and the next row would overtake them. */
  get isFull(): boolean {
    return this.#closed.length > 0;
  }

  /**
   * Puts a record into its batch; gives the records of the batch that it closes, when that is the only one that waits to leave and
   * has the record's key. Else they are to be taken with `takeResults`.
   *
   * @throws what the user's functions throw, or SageError SAGE_USER_WRONG_TYPE for a weight that is no number. The record is then in no batch.
   */
  add(record: unknown, key: unknown): unknown[] | undefined {
    const { weight: maxWeight, bytes: maxBytes } = this.#limits;
    const weight = this.#weigh === undefined ? 1 : this.#checkedWeight(record, this.#weigh);
    const bytes = maxBytes === Number.POSITIVE_INFINITY ? 0 : recordBytes(record);
    const group = this.#group?.(record, key);
    let batch = this.#open.get(group);
    let own: OpenBatch | undefined;
    if (batch !== undefined && (batch.weight + weight > maxWeight || batch.bytes + bytes > maxBytes)) {
      own = batch;
      this.#close(group, batch);
      batch = undefined;
    }
    batch ??= this.#openBatch(group, key);
    batch.records.push(record);
    batch.time = Math.max(batch.time, this.#bindings.control.time ?? Number.NEGATIVE_INFINITY);
    batch.weight += weight;
    batch.bytes += bytes;
    this.#changed.add(group);
    if (batch.weight >= maxWeight || batch.bytes >= maxBytes) {
      own = batch;
      this.#close(group, batch);
    }
    if (this.#closed.length === 1 && this.#closed[0] === own) {
      this.#closed.pop();
      this.time = own!.time;
      return own!.records;
    }
    if (this.#closed.length > 0) this.#bindings.control.stop = true;
    return undefined;
  }

  #openBatch(group: unknown, key: unknown): OpenBatch {
    if (this.#open.size >= this.#settings.maxOpen) {
      const [oldest] = this.#open as Iterable<[unknown, OpenBatch]>;
      this.#close(...oldest!);
    }
    const batch: OpenBatch = { records: [], time: Number.NEGATIVE_INFINITY, weight: 0, bytes: 0, sinceMs: this.#settings.waitMs === undefined ? 0 : this.#bindings.clock.monotonicMs(), key, place: this.#opened++ };
    this.#open.set(group, batch);
    return batch;
  }

  #close(group: unknown, batch: OpenBatch): void {
    this.#open.delete(group);
    this.#changed.add(group);
    this.#closed.push(batch);
  }

  #checkedWeight(record: unknown, weigh: (record: unknown) => number): number {
    const weight: unknown = weigh(record);
    if (typeof weight === 'number' && weight >= 0) return weight;
    throw new SageError('SAGE_USER_WRONG_TYPE', `the weight of a record is ${describeValue(weight)}, and not a number from 0`);
  }

  /** The open batches; closed ones have left when a barrier comes. */
  stateParts(owner: PartOwner): StatePart[] {
    const part = { name: 'batches', describe: () => 'a record of an open batch' };
    if (this.#keyed && isDividedByKey(this.#node)) {
      return [
        keyedValuePart<SavedBatch>(owner, {
          ...part,
          save: () => {
            this.#changed.restart();
            return this.#saved().map((batch) => [batch.group, batch]);
          },
          changes: () => this.#changed.take(this.#open.size, (group) => this.#savedBatch(group, this.#open.get(group))),
          restore: (entries) => this.#restore([...entries].map(([, batch]) => batch)),
        }),
      ];
    }
    return [
      ownValuePart<readonly SavedBatch[]>(owner, {
        ...part,
        save: () => this.#saved(),
        restore: (saved) => this.#restore(takenOver(saved, owner.instance, owner.parallelism).flatMap(({ value }) => value)),
      }),
    ];
  }

  #saved(): SavedBatch[] {
    return Array.from(this.#open, ([group, batch]) => this.#savedBatch(group, batch)!);
  }

  #savedBatch(group: unknown, batch: OpenBatch | undefined): SavedBatch | undefined {
    if (batch === undefined) return undefined;
    const { clock } = this.#bindings;
    const { records, time, weight, bytes, sinceMs, place } = batch;
    const aheadMs = this.#settings.waitMs === undefined ? 0 : clock.now() - clock.monotonicMs();
    return { group: keyOfIdentity(group), records, time, weight, bytes, sinceAtMs: sinceMs + aheadMs, place };
  }

  #restore(saved: readonly SavedBatch[]): void {
    const { clock } = this.#bindings;
    const { waitMs, maxOpen } = this.#settings;
    const nowMs = waitMs === undefined ? 0 : clock.monotonicMs();
    const aheadMs = waitMs === undefined ? 0 : clock.now() - nowMs;
    for (const { group, records, time, weight, bytes, sinceAtMs } of saved.toSorted((a, b) => a.sinceAtMs - b.sinceAtMs || a.place - b.place)) {
      const identity = this.#group === undefined ? undefined : keyIdentity(group);
      const batch: OpenBatch = { records, time, weight, bytes, sinceMs: Math.min(nowMs, sinceAtMs - aheadMs), key: this.#keyed ? group : undefined, place: this.#opened++ };
      const before = this.#open.get(identity);
      // Of two old instances: what does not go together leaves as it is.
      if (before !== undefined && (before.weight + weight > this.#limits.weight || before.bytes + bytes > this.#limits.bytes)) this.#close(identity, before);
      else if (before !== undefined) {
        before.records.push(...records);
        before.time = Math.max(before.time, time);
        before.weight += weight;
        before.bytes += bytes;
        continue;
      }
      this.#open.set(identity, batch);
    }
    for (const [identity, batch] of this.#open) {
      const isFull = batch.weight >= this.#limits.weight || batch.bytes >= this.#limits.bytes;
      if (isFull || this.#open.size > maxOpen) this.#close(identity, batch);
    }
  }

  push(value: unknown, key: unknown): Pushed {
    return this.#bindings.linked[this.#node.id]!.push(value, key);
  }

  work(): Pushed {
    return undefined;
  }

  takeResults(): HeldResults | undefined {
    if (this.#closed.length === 0) return undefined;
    const closed = this.#closed;
    this.#closed = [];
    for (const { time } of closed) this.#taken = Math.min(this.#taken, time);
    return { records: closed.map(({ records }) => records), keys: this.#keyed ? closed.map(({ key }) => key) : undefined, times: this.#bindings.times === undefined ? undefined : closed.map(({ time }) => time) };
  }

  dueInMs(nowMs: number): number | undefined {
    const { waitMs } = this.#settings;
    if (this.#closed.length > 0) return 0;
    if (waitMs === undefined) return undefined;
    for (const { sinceMs } of this.#open.values()) return Math.max(0, sinceMs + waitMs - nowMs);
    return undefined;
  }

  closeDue(nowMs: number): void {
    const { waitMs } = this.#settings;
    if (waitMs === undefined) return;
    for (const [group, batch] of this.#open) {
      if (batch.sinceMs + waitMs > nowMs) return;
      this.#close(group, batch);
    }
  }

  timeChanged(time: StreamTime): void {
    this.#time = time;
    this.#sayBelow();
  }

  sayTime(): void {
    this.#taken = Number.POSITIVE_INFINITY;
    this.#sayBelow();
  }

  /** A batch has the time of its latest record: event time below must not pass what it has already. */
  #sayBelow(): void {
    const time = this.#time;
    if (time === undefined) return;
    let watermark = Math.min(time.watermark, this.#taken);
    for (const batch of this.#closed) watermark = Math.min(watermark, batch.time);
    for (const batch of this.#open.values()) watermark = Math.min(watermark, batch.time);
    this.#bindings.times!.say(this.#node.id, watermark, time.isIdle);
  }

  end(): void {
    for (const batch of this.#open.values()) this.#closed.push(batch);
    this.#open.clear();
    this.#changed.stop();
  }
}
