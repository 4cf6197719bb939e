import { keyOfIdentity } from '../stage/key-identity.ts';
import { SlotColumn } from '../stage/slot-column.ts';

/** So many keys that have gone are noted. */
const MOST_GONE = 2 ** 19;

interface Changed {
  readonly slots: readonly number[];
  /** Identities of keys. */
  readonly gone: ReadonlySet<unknown>;
}

/**
 * Which slots have changed since an operator has last handed over what it keeps of each key, and which keys have gone: what an epoch has
 * to have that is on top of the one before. Notes nothing before everything was handed over once, so that it costs nothing without checkpoints.
 */
export class ChangedSlots {
  readonly #isChanged = new SlotColumn<boolean>();
  #slots: number[] = [];
  /** By identity. */
  #gone = new Set<unknown>();
  #isNoting = false;

  /** What is kept for a slot may be other than it was. */
  add(slot: number): void {
    if (!this.#isNoting || this.#isChanged.get(slot) === true) return;
    this.#isChanged.set(slot, true);
    this.#slots.push(slot);
  }

  /** A slot is given back: nothing is kept for its key, which is given by its identity. */
  leave(identity: () => unknown): void {
    if (!this.#isNoting) return;
    this.#gone.add(identity());
    if (this.#gone.size <= MOST_GONE) return;
    // Where nobody asks for long, everything is handed over the next time.
    this.#isNoting = false;
    this.#take();
  }

  /** Everything is handed over. */
  restart(): void {
    this.#isNoting = true;
    this.#take();
  }

  #take(): Changed {
    const [slots, gone] = [this.#slots, this.#gone];
    for (const slot of slots) this.#isChanged.set(slot, false);
    this.#slots = [];
    if (gone.size > 0) this.#gone = new Set();
    return { slots, gone };
  }

  /**
   * What has changed: keys that have gone come first, as one may have come again. Nothing when all has to be handed over: for the first
   * time, or as it is hardly more than what has changed.
   *
   * @param kept how many keys there are
   * @param entryOf the key of a slot, and what is kept for it, if anything; nothing for a slot that belongs to no key
   */
  take<V>(kept: number, entryOf: (slot: number) => readonly [key: unknown, value: V | undefined] | undefined): Iterable<readonly [key: unknown, value: V | undefined]> | undefined {
    const changed = this.takeSlots(kept);
    return changed === undefined ? undefined : entries(changed, entryOf);
  }

  /** As `take`, without what is kept: `gone` are identities of keys, and slots may belong to no key any more. */
  takeSlots(kept: number): Changed | undefined {
    return !this.#isNoting || (this.#slots.length + this.#gone.size) * 2 > kept ? undefined : this.#take();
  }
}

function* entries<V>({ slots, gone }: Changed, entryOf: (slot: number) => readonly [key: unknown, value: V | undefined] | undefined): Generator<readonly [unknown, V | undefined]> {
  for (const identity of gone) yield [keyOfIdentity(identity), undefined];
  for (const slot of slots) {
    const entry = entryOf(slot);
    if (entry !== undefined) yield entry;
  }
}
