import { isFieldPath, readOptionalField } from '../../functions/field-path.ts';
import type { Selector, StageNode } from '../../compiler/physical-plan.ts';
import type { SampleSettings } from '../../transformations/sample-transformation.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { keyedValuePart, ownValuePart } from '../checkpoint/value-parts.ts';
import { isDividedByKey } from './is-divided-by-key.ts';
import { keyIdentity, keyOfIdentity } from './key-identity.ts';
import { SeenKeys } from './seen-keys.ts';

/** Decides which records pass: a `dedup`, `sample` or `limit` in one instance, or the way back of a loop. */
export interface RecordGate {
  /** @throws what the user's function throws, or SageError SAGE_KEY_UNSUPPORTED for a value that cannot be compared. */
  passes(value: unknown, key: unknown): boolean;
  /** Called once before the first record, and behind what was restored. */
  open?(): void;
  /** What it hands over at a barrier. */
  stateParts?(owner: PartOwner): readonly StatePart[];
}

/** What a gate asks of its task. */
export interface GateHost {
  readonly instance: number;
  /** Of a clock that begins anew with each process. */
  nowMs(): number;
  /** Milliseconds since 1970. */
  epochMs(): number;
  /** A limit of all records has been reached. */
  limitReached(): void;
  /** Whether what comes out of the node can reach a sink. */
  isNeeded(): boolean;
}

/** The gate of a node; nothing for other operators. */
export function makeRecordGate(node: StageNode, host: GateHost): RecordGate | undefined {
  const { op } = node;
  switch (op.kind) {
    case 'dedup':
      return new DedupGate(op.by, op.keyed, op.ttlMs, host, () => isDividedByKey(node));
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

/** A key that a dedup has met, and until when it counts, in epoch milliseconds. */
type Seen = readonly [identity: unknown, untilMs: number];

/** A part that is a number of one instance; at another parallelism each instance begins anew. */
function numberPart(owner: PartOwner, name: string, save: () => number, restore: (value: number) => void): StatePart {
  return ownValuePart<number>(owner, {
    name,
    describe: () => 'the count',
    save,
    restore: (saved) => {
      const own = saved.find(({ instance, parallelism }) => instance === owner.instance && parallelism === owner.parallelism);
      if (own !== undefined) restore(own.value);
    },
  });
}

class DedupGate implements RecordGate {
  readonly #read: (record: unknown, key: unknown) => unknown;
  readonly #seen: SeenKeys;
  readonly #host: GateHost;
  readonly #ttl: boolean;
  /** The key of the stream that an identity is of. */
  readonly #keyOf: (identity: unknown) => unknown;
  readonly #movesWithKey: () => boolean;

  constructor(by: Selector | undefined, keyed: boolean, ttlMs: number | undefined, host: GateHost, isDivided: () => boolean) {
    this.#keyOf = by === undefined ? keyOfIdentity : (identity) => (keyOfIdentity(identity) as readonly unknown[])[0];
    this.#movesWithKey = () => keyed && isDivided();
    const read = by === undefined ? undefined : readSelector(by);
    if (!keyed) this.#read = read ?? ((record) => record);
    else this.#read = read === undefined ? (_record, key) => key : (record, key) => [key, read(record)];
    this.#seen = new SeenKeys(ttlMs);
    this.#ttl = ttlMs !== undefined;
    this.#host = host;
  }

  passes(value: unknown, key: unknown): boolean {
    return this.#seen.add(keyIdentity(this.#read(value, key)), this.#ttl ? this.#host.nowMs() : 0);
  }

  stateParts(owner: PartOwner): StatePart[] {
    const part = { name: 'seen', describe: () => 'a key that was seen' };
    if (!this.#movesWithKey()) return [ownValuePart<readonly Seen[]>(owner, { ...part, save: () => this.#saved(), restore: (saved) => this.#restore(saved.flatMap(({ value }) => value)) })];
    return [
      keyedValuePart<readonly Seen[]>(owner, {
        ...part,
        save: () => {
          const byKey = Map.groupBy(this.#saved(), ([identity]) => keyIdentity(this.#keyOf(identity)));
          return [...byKey].map(([key, seen]) => [keyOfIdentity(key), seen] as const);
        },
        restore: (entries) => this.#restore([...entries].flatMap(([, seen]) => seen)),
      }),
    ];
  }

  #saved(): Seen[] {
    const aheadMs = this.#host.epochMs() - this.#host.nowMs();
    return Array.from(this.#seen.entries(), ([identity, untilMs]) => [identity, this.#ttl ? untilMs + aheadMs : 0]);
  }

  #restore(seen: readonly Seen[]): void {
    const aheadMs = this.#host.epochMs() - this.#host.nowMs();
    this.#seen.restore(seen.toSorted(([, a], [, b]) => a - b).map(([identity, untilMs]) => [identity, this.#ttl ? untilMs - aheadMs : 0]));
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
    return [numberPart(owner, 'skipped', () => this.#until, (until) => (this.#until = Math.min(until, this.#every - 1)))];
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
    return [numberPart(owner, 'random', () => this.#state, (state) => (this.#state = state))];
  }
}

class LimitGate implements RecordGate {
  readonly #host: GateHost;
  #left: number;
  #told = false;

  constructor(max: number, host: GateHost) {
    this.#left = max;
    this.#host = host;
  }

  open(): void {
    if (this.#left === 0) this.#tell();
  }

  stateParts(owner: PartOwner): StatePart[] {
    return [numberPart(owner, 'left', () => this.#left, (left) => (this.#left = left))];
  }

  passes(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    if (this.#left === 0) this.#tell();
    return true;
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

  constructor(max: number) {
    this.#max = max;
  }

  passes(_value: unknown, key: unknown): boolean {
    const id = keyIdentity(key);
    const count = this.#counts.get(id) ?? 0;
    if (count >= this.#max) return false;
    this.#counts.set(id, count + 1);
    return true;
  }

  stateParts(owner: PartOwner): StatePart[] {
    return [
      keyedValuePart<number>(owner, {
        name: 'counts',
        describe: () => 'the count',
        save: () => Array.from(this.#counts, ([id, count]) => [keyOfIdentity(id), count] as const),
        restore: (entries) => {
          for (const [key, count] of entries) this.#counts.set(keyIdentity(key), count);
        },
      }),
    ];
  }
}
