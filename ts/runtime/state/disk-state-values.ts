import { SageError } from '../../common/errors.ts';
import type { LayoutRegistry } from '../codec/batch-reader.ts';
import { StateValuesReader, StateValuesWriter } from '../codec/state-values.ts';
import type { KeyedStateStore } from './keyed-state-store.ts';
import type { SavedState } from './saved-state.ts';
import type { SlotState } from './slot-state.ts';
import type { StateWatch } from './state-watch.ts';

/**
 * Stands before a value that came from a checkpoint and was not written since: it has its name, its type and its form with it
 * (`SavedState`), as it may be read long before the state is declared, or after it was given a time to live.
 */
const AS_SAVED = 0x80;

/** The states of an operator by their numbers in the core, and what the store has of each key: a value, or one as it was saved. */
export class DiskStateValues {
  /** By number. */
  readonly names: string[] = [];
  /** By number; those that were restored and are not declared have none. */
  readonly watches: (StateWatch | undefined)[] = [];
  readonly #operator: string;
  readonly #states: (SlotState | undefined)[] = [];
  readonly #writer: StateValuesWriter;
  readonly #reader: StateValuesReader;
  #store: KeyedStateStore | undefined;

  constructor(registry: LayoutRegistry, operator: string) {
    this.#operator = operator;
    this.#writer = new StateValuesWriter(registry);
    this.#reader = new StateValuesReader(registry);
  }

  /** The states as functions know them. */
  belongTo(store: KeyedStateStore): void {
    this.#store = store;
  }

  /** The number of a state that is known. */
  numberOf(name: string): number | undefined {
    const number = this.names.indexOf(name);
    return number < 0 ? undefined : number;
  }

  /** The state that functions use; nothing for one that nobody has declared. */
  stateOf(number: number): SlotState | undefined {
    return (this.#states[number] ??= this.#store!.named(this.names[number]!));
  }

  /** A value that the store has goes into memory. */
  load(slot: number, number: number, bytes: Buffer, start: number, end: number): void {
    const value = this.#read(bytes, start, end, number);
    if (bytes[start] === AS_SAVED) this.#store!.restore(slot, [value as SavedState], end - start);
    else this.stateOf(number)!.restore(slot, value, end - start);
  }

  /** What readers outside of the job's functions are shown of a value that the store has. */
  show(number: number, bytes: Buffer, key: unknown): unknown {
    const value = this.#read(bytes, 0, bytes.length, number);
    const form = bytes[0] === AS_SAVED ? this.#store!.formOf(value as SavedState, key) : value;
    return form === undefined ? undefined : this.stateOf(number)!.show(form);
  }

  /** A value that the store has, for a checkpoint. */
  saved(number: number, bytes: Buffer, start: number): SavedState {
    const value = this.#read(bytes, start, bytes.length, number);
    return bytes[start] === AS_SAVED ? (value as SavedState) : this.#store!.savedAs(this.names[number]!, value);
  }

  /** A value in memory, for a checkpoint. */
  savedOf(slot: number, number: number): SavedState | undefined {
    const state = this.stateOf(number);
    if (state === undefined) return this.#store!.waiting.of(slot, this.names[number]!);
    return state.isEmpty(slot) ? undefined : this.#store!.savedAs(this.names[number]!, state.save(slot));
  }

  #read(bytes: Buffer, start: number, end: number, number: number): unknown {
    try {
      return this.#reader.read(bytes, bytes[start] === AS_SAVED ? start + 1 : start, end);
    } catch (error) {
      throw new SageError('SAGE_STATE_CORRUPT', `a value of the state '${this.names[number]}' of '${this.#operator}' cannot be read`, { operator: this.#operator, cause: error });
    }
  }

  /** Encodes the values of these pairs of slot and state, which are in `bytes` then; where each ends. @throws SageError SAGE_STATE_VALUE */
  encode(pairs: Int32Array): Int32Array {
    const writer = this.#writer;
    writer.reset();
    const ends = new Int32Array(pairs.length / 2);
    for (let n = 0; n < pairs.length; n += 2) {
      const [slot, number] = [pairs[n]!, pairs[n + 1]!];
      const state = this.stateOf(number);
      try {
        ends[n / 2] = state === undefined ? writer.writeBehind(AS_SAVED, this.#store!.waiting.of(slot, this.names[number]!)) : writer.write(state.save(slot));
      } catch (error) {
        throw this.watches[number]?.notStorable(error, undefined) ?? error;
      }
    }
    return ends;
  }

  /** A value of a checkpoint, as the store has it until somebody writes to it. Valid until the next call. */
  encodeSaved(saved: SavedState): Uint8Array {
    this.#writer.reset();
    this.#writer.writeBehind(AS_SAVED, saved);
    return this.#writer.bytes();
  }

  /** What was encoded. */
  bytes(): Uint8Array {
    return this.#writer.bytes();
  }

  /** Nothing is to be encoded. */
  reset(): void {
    this.#writer.reset();
  }

  /** A value is not in memory any more. */
  forget(slot: number, number: number): void {
    const state = this.stateOf(number);
    if (state === undefined) this.#store!.waiting.forget(slot, this.names[number]!);
    else state.forget(slot);
  }
}
