/** What a state knows of the record or timer in hand. */
export interface StatePlace {
  /** Slot of the key in hand. @throws SageError SAGE_ENV_CONTEXT when there is none. */
  slot(): number;
  /** Epoch milliseconds; never goes back. */
  nowMs(): number;
  /** How to take back, last one first, what the attempt in hand has written; nothing where no attempt is repeated or left out. */
  readonly undo: (() => void)[] | undefined;
}

/** One state of an operator, for all of its keys: values by slot. */
export interface SlotState {
  /** Whether nothing is held for a slot: it may go to another key. */
  isEmpty(slot: number): boolean;
  /** Gives memory back of what has expired, at most so many values; tells which slots hold less now. */
  expire(budget: number, expired: (slot: number) => void): void;
  /** A copy of what is held for a slot, for readers outside of the job's functions; `undefined` for nothing. */
  snapshot(slot: number): unknown;
  /** With state on disk: about how many bytes of memory the values of a slot take; -1 for none. @throws SageError SAGE_STATE_VALUE */
  bytes(slot: number): number;
  /** What is held for a slot, as a value that can be encoded. */
  save(slot: number): unknown;
  /** Takes in for a slot what `save` gave, which had so many bytes. */
  restore(slot: number, saved: unknown, bytes: number): void;
  /** What `snapshot` would give for something that `save` gave. */
  show(saved: unknown): unknown;
  /** Holds nothing for a slot any more: it is on disk, or has expired. */
  forget(slot: number): void;
}
