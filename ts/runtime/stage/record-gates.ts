import { isFieldPath, readOptionalField } from '../../functions/field-path.ts';
import type { Selector, StageNode } from '../../compiler/physical-plan.ts';
import { ChangedKeys } from '../checkpoint/changed-keys.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import { type StatePart, takenOver } from '../checkpoint/state-part.ts';
import { keyedValuePart, ownValuePart } from '../checkpoint/value-parts.ts';
import type { SampleSettings } from '../../transformations/sample-transformation.ts';
import { keyIdentity, keyOfIdentity } from './key-identity.ts';
import { SeenKeys } from './seen-keys.ts';

/** Decides which records pass: a `dedup`, `sample` or `limit` in one instance, or the way back of a loop. */
export interface RecordGate {
  /** @throws what the user's function throws, or SageError SAGE_KEY_UNSUPPORTED for a value that cannot be compared. */
  passes(value: unknown, key: unknown): boolean;
  /** Called once before the first record. */
  open?(): void;
  /** What it knows of the records so far. */
  stateParts?(owner: PartOwner): readonly StatePart[];
}

/** What a gate asks of its task. */
export interface GateHost {
  readonly instance: number;
  nowMs(): number;
  /** Epoch milliseconds less those of `nowMs`. */
  epochAheadMs(): number;
  /** A limit of all records has been reached. */
  limitReached(): void;
  /** Whether what comes out of the node can reach a sink. */
  isNeeded(): boolean;
}

/** The gate of a node; nothing for other operators. */
export function makeRecordGate({ op }: StageNode, host: GateHost): RecordGate | undefined {
  switch (op.kind) {
    case 'dedup':
      return new DedupGate(op.by, op.keyed, op.ttlMs, host);
    case 'sample':
      return 'every' in op.settings ? new EveryGate(op.settings.every) : new FractionGate(op.settings, host.instance);
    case 'limit':
      return op.keyed && op.max > 0 ? new KeyedLimitGate(op.max) : new LimitGate(op.max, host);
    case 'fillFuture':
      return { passes: () => host.isNeeded() };
    default:
      return undefined;
  }
}

/** Reads what a selector names; a path to a field that is not there gives undefined. */
export function readSelector(selector: Selector): (record: unknown) => unknown {
  if (!isFieldPath(selector)) return selector as (record: unknown) => unknown;
  return (record) => readOptionalField(selector, record);
}

/** A value that was met, in a checkpoint, and until when that counts, in epoch milliseconds. */
type SavedSeen = readonly [value: unknown, untilMs: number];

class DedupGate implements RecordGate {
  readonly #read: (record: unknown, key: unknown) => unknown;
  readonly #seen: SeenKeys;
  readonly #host: GateHost;
  readonly #ttlMs: number | undefined;
  /** Values count within the key. */
  readonly #isWithinKey: boolean;
  /** Since everything or this was saved: values, or keys where values count within them. */
  readonly #changed = new ChangedKeys();

  constructor(by: Selector | undefined, keyed: boolean, ttlMs: number | undefined, host: GateHost) {
    const read = by === undefined ? undefined : readSelector(by);
    if (!keyed) this.#read = read ?? ((record) => record);
    else this.#read = read === undefined ? (_record, key) => key : (record, key) => [key, read(record)];
    this.#seen = new SeenKeys(ttlMs, (identity) => this.#noteChanged(identity));
    this.#ttlMs = ttlMs;
    this.#isWithinKey = keyed && by !== undefined;
    this.#host = host;
  }

  passes(value: unknown, key: unknown): boolean {
    const identity = keyIdentity(this.#read(value, key));
    const isNew = this.#seen.add(identity, this.#ttlMs === undefined ? 0 : this.#host.nowMs());
    if (isNew) this.#noteChanged(identity);
    return isNew;
  }

  /** A value was met for the first time, or is forgotten. */
  #noteChanged(identity: unknown): void {
    if (this.#changed.isNoting) this.#changed.add(this.#isWithinKey ? keyIdentity((keyOfIdentity(identity) as [unknown, unknown])[0]) : identity);
  }

  /** By the value that was met, or by the key and all values within it. */
  stateParts(owner: PartOwner): StatePart[] {
    return [
      keyedValuePart<readonly SavedSeen[]>(owner, {
        name: 'seen',
        describe: () => 'a value',
        save: () => {
          this.#changed.restart();
          return this.#isWithinKey ? Array.from(this.#seenByKey(), ([identity, seen]) => [keyOfIdentity(identity), seen]) : this.#savedValues();
        },
        changes: () => (this.#isWithinKey ? this.#changedWithinKeys() : this.#changed.take(this.#seen.size, (identity) => this.#savedValue(this.#seen.untilMs(identity)))),
        restore: (entries) => this.#restore(entries),
      }),
    ];
  }

  get #aheadMs(): number {
    return this.#ttlMs === undefined ? 0 : this.#host.epochAheadMs();
  }

  #savedValue(untilMs: number | undefined): readonly SavedSeen[] | undefined {
    return untilMs === undefined ? undefined : [[undefined, untilMs + this.#aheadMs]];
  }

  *#savedValues(): Generator<readonly [unknown, readonly SavedSeen[]]> {
    for (const [identity, untilMs] of this.#seen.entries()) yield [keyOfIdentity(identity), this.#savedValue(untilMs)!];
  }

  /** All values of all keys are looked at: those of one are not kept together. */
  #changedWithinKeys(): Iterable<readonly [unknown, readonly SavedSeen[] | undefined]> | undefined {
    // Each value has a key, so that there are as many values at least.
    const changed = this.#changed.takeIdentities(this.#seen.size);
    if (changed === undefined || changed.size === 0) return changed && [];
    const seen = this.#seenByKey(changed);
    return Array.from(changed, (identity) => [keyOfIdentity(identity), seen.get(identity)]);
  }

  /** The values of each key, or of some, by the identity of the key. */
  #seenByKey(some?: ReadonlySet<unknown>): ReadonlyMap<unknown, readonly SavedSeen[]> {
    const aheadMs = this.#aheadMs;
    const byKey = new Map<unknown, SavedSeen[]>();
    for (const [identity, untilMs] of this.#seen.entries()) {
      const [key, within] = keyOfIdentity(identity) as [unknown, unknown];
      const keyed = keyIdentity(key);
      if (some !== undefined && !some.has(keyed)) continue;
      const seen = byKey.get(keyed);
      if (seen === undefined) byKey.set(keyed, [[within, untilMs + aheadMs]]);
      else seen.push([within, untilMs + aheadMs]);
    }
    return byKey;
  }

  #restore(entries: Iterable<readonly [key: unknown, seen: readonly SavedSeen[]]>): void {
    const ttlMs = this.#ttlMs;
    const nowMs = ttlMs === undefined ? 0 : this.#host.nowMs();
    const aheadMs = ttlMs === undefined ? 0 : this.#host.epochAheadMs();
    const all: { readonly identity: unknown; readonly untilMs: number }[] = [];
    for (const [key, seen] of entries) {
      // With another time to live than before, what was met counts no longer than that from now on.
      for (const [value, untilMs] of seen) all.push({ identity: keyIdentity(this.#isWithinKey ? [key, value] : key), untilMs: ttlMs === undefined ? 0 : untilMs === 0 ? nowMs + ttlMs : Math.min(untilMs - aheadMs, nowMs + ttlMs) });
    }
    all.sort((a, b) => a.untilMs - b.untilMs);
    for (const { identity, untilMs } of all) this.#seen.restore(identity, untilMs);
  }
}

class EveryGate implements RecordGate {
  readonly #every: number;
  #until = 0;

  constructor(every: number) {
    this.#every = every;
  }

  passes(): boolean {
    if (this.#until > 0) {
      this.#until--;
      return false;
    }
    this.#until = this.#every - 1;
    return true;
  }

  stateParts(owner: PartOwner): StatePart[] {
    return [numberPart(owner, 'sample', () => this.#until, (until) => (this.#until = until))];
  }
}

/** Random numbers of a small generator (splitmix32), so that a seed gives the same sample everywhere. */
class FractionGate implements RecordGate {
  readonly #fraction: number;
  #state: number;

  constructor({ fraction, seed }: Extract<SampleSettings, { fraction: number }>, instance: number) {
    this.#fraction = fraction;
    this.#state = Math.imul((seed % 2 ** 32) ^ Math.floor(seed / 2 ** 32), 0x9e3779b1) ^ Math.imul(instance + 1, 0x85ebca6b);
  }

  passes(): boolean {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32 < this.#fraction;
  }

  stateParts(owner: PartOwner): StatePart[] {
    return [numberPart(owner, 'sample', () => this.#state, (state) => (this.#state = state))];
  }
}

class LimitGate implements RecordGate {
  readonly #host: GateHost;
  readonly #max: number;
  #left: number;
  #told = false;

  constructor(max: number, host: GateHost) {
    this.#max = max;
    this.#left = max;
    this.#host = host;
  }

  open(): void {
    if (this.#left === 0) this.#tell();
  }

  passes(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    if (this.#left === 0) this.#tell();
    return true;
  }

  stateParts(owner: PartOwner): StatePart[] {
    return [numberPart(owner, 'limit', () => this.#max - this.#left, (passed) => (this.#left = Math.max(0, this.#max - passed)))];
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#host.limitReached();
  }
}

class KeyedLimitGate implements RecordGate {
  readonly #max: number;
  readonly #counts = new Map<unknown, number>();
  readonly #changed = new ChangedKeys();

  constructor(max: number) {
    this.#max = max;
  }

  passes(_value: unknown, key: unknown): boolean {
    const id = keyIdentity(key);
    const count = this.#counts.get(id) ?? 0;
    if (count >= this.#max) return false;
    this.#counts.set(id, count + 1);
    this.#changed.add(id);
    return true;
  }

  stateParts(owner: PartOwner): StatePart[] {
    const counts = this.#counts;
    return [
      keyedValuePart<number>(owner, {
        name: 'limit',
        describe: () => 'a count',
        save: () => {
          this.#changed.restart();
          return Array.from(counts, ([identity, count]) => [keyOfIdentity(identity), count]);
        },
        changes: () => this.#changed.take(counts.size, (identity) => counts.get(identity)),
        restore: (entries) => {
          for (const [key, count] of entries) counts.set(keyIdentity(key), count);
        },
      }),
    ];
  }
}

/** A number of each instance; one that comes anew begins as it was made. */
function numberPart(owner: PartOwner, name: string, save: () => number, restore: (saved: number) => void): StatePart {
  return ownValuePart<number>(owner, {
    name,
    describe: () => 'a count',
    save,
    restore: (saved) => {
      const [own] = takenOver(saved, owner.instance, owner.parallelism);
      if (own !== undefined) restore(own.value);
    },
  });
}
