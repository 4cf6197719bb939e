import type { FunctionMetrics } from '../../functions/function-metrics.ts';
import type { StatesSink } from '../checkpoint/states-part.ts';
import type { KeyedStateStore } from './keyed-state-store.ts';
import type { SavedState } from './saved-state.ts';

/** A closed batch, as its `KeyPlaces` keeps it: where its rows' keys are as far as that is known. */
export interface KeyBatch {
  /** A copy of the batch, where it is needed once more. */
  readonly image: Buffer | undefined;
  readonly keys: readonly unknown[];
  /** The slot of each row, when it is the batch's turn. */
  slots: Int32Array | undefined;
  /** With state on disk: what stands for each row's key with its timers, when one of them asked for a timer. */
  owners: Int32Array | undefined;
}

/** Timers that are due after the one in hand. */
export interface DueTimers {
  /** Whose they are; one may be there several times. */
  dueNext(): readonly number[];
}

/** What the states hold for a key. */
export type SavedKey = readonly [key: unknown, states: readonly SavedState[]];

/** Which instance of how many: its keys are those of its key groups. */
export interface OwnKeys {
  readonly instance: number;
  readonly parallelism: number;
}

/**
 * Where the keys of one operator in one task are, and its states. A *slot* is where the states of a key are while one of its records or
 * timers is in hand; an *owner* stands for a key among the timers for as long as it has one. Chosen once for each operator: all keys in
 * memory, or those in use with the others on disk.
 */
export interface KeyPlaces {
  readonly state: KeyedStateStore;
  /** Takes in a closed batch, whose image is valid during the call only. `isNext`: nothing is worked on before it. */
  admit(image: Buffer, keys: readonly unknown[], isNext: boolean): KeyBatch;
  /** The slot of a row that comes in hand now. */
  slotOf(batch: KeyBatch, row: number): number;
  /** Who owns the timers of a row that is in hand. */
  ownerOf(batch: KeyBatch, row: number): number;
  keyOf(owner: number): unknown;
  /** The slot of an owner whose timer comes in hand now. */
  slotOfOwner(owner: number, due: DueTimers): number;
  /** What was in hand at a slot has been worked on. */
  touched(slot: number): void;
  /** Timers of an owner have fired or were cancelled. */
  timersChanged(owner: number): void;
  /** No batch is at work: gives back the memory of what has expired, and of keys that hold nothing. `rows` have come since the last call. */
  release(rows: number): void;
  /** What a state holds for a key, for readers outside of the job's functions; `undefined` for nothing. */
  snapshot(name: string, key: unknown): unknown;
  /** Gives each key of this instance that holds something, with that. */
  save(to: StatesSink, of: OwnKeys): void;
  /** Gives what has changed since the last call of this or of `save`; false, and nothing, when that is not known, or is hardly less than everything. */
  saveChanges(to: StatesSink): boolean;
  /** Takes in what `save` gave. A key may come several times, with other states. */
  restore(saved: Iterable<SavedKey>): void;
  /** Who owns the timers of keys that are restored. */
  ownersOf(keys: readonly unknown[]): Int32Array;
  /** Sets the gauges of what is held. */
  report(metrics: FunctionMetrics): void;
  close(): void;
}
