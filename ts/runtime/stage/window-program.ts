import { FailedTimer } from './failed-timer.ts';
import type { Pushed } from './linked-node.ts';
import type { TriggersOfProgram } from './make-window-triggers.ts';
import { SlotColumn } from './slot-column.ts';
import type { WindowTriggers } from './window-triggers.ts';
import type { WindowOfKey, WindowValues } from './window-values.ts';

/** Words of a program: docs/internals/windows.md. */
const KEY = 1;
const DROP = 2;
const INIT = 3;
const ADD = 4;
const MERGE = 5;
const EMIT = 6;
const EMIT_PANES = 7;
const FREE = 8;
const OPEN = 9;

/** The rows that a program speaks of. */
export interface ProgramRows {
  readonly keys: readonly unknown[];
  readonly records: readonly unknown[];
}

/** What a program tells those around it. */
export interface ProgramHost {
  /** A result, with the window that it is of. */
  emit(result: unknown, window: WindowOfKey): void;
  /** What becomes of a record that could not be added, or of a timer; `again` gives what is to be done when it went through. */
  recover(error: unknown, record: unknown, key: unknown, again: () => () => undefined): Pushed;
}

const noMore = (): undefined => undefined;

export const NO_ROWS: ProgramRows = { keys: [], records: [] };

/** Does, one after the other, what the core says is to be done with the accumulators of JavaScript. It may be left in the middle. */
export class WindowProgram {
  readonly #values: WindowValues;
  readonly #host: ProgramHost;
  /** Where JavaScript decides when there is a result. */
  readonly triggers: WindowTriggers | undefined;
  readonly #keyOfSlot = new SlotColumn<unknown>();
  #words: Int32Array = new Int32Array();
  #windows: Float64Array = new Float64Array();
  #rows: ProgramRows = NO_ROWS;
  #at = 0;
  /** Rows that the ADD at hand still has. */
  #adding = 0;

  constructor(values: WindowValues, host: ProgramHost, makeTriggers?: TriggersOfProgram) {
    this.triggers = makeTriggers?.(values, {
      emit: (acc, slot, { start, end }) => this.#emitWindow(Int32Array.of(acc), slot, start, end),
      keyOf: (slot) => this.#keyOfSlot.get(slot),
    });
    this.#values = values;
    this.#host = host;
  }

  /** A slot of the core belongs to a key of a checkpoint. */
  restoreKey(slot: number, key: unknown): void {
    this.#keyOfSlot.set(slot, key);
  }

  /** Whether there is something left to do. */
  get isRunning(): boolean {
    return this.#at < this.#words.length || this.triggers?.isDue === true;
  }

  /** Takes what is to be done next, with these rows. */
  load({ words, windows }: { readonly words: Int32Array; readonly windows: Float64Array }, rows: ProgramRows): void {
    this.#words = words;
    this.#windows = windows;
    this.#rows = rows;
    this.#at = 0;
  }

  /** Works on so many rows and results; a promise where an error policy has something to wait for. */
  run(steps: number): Pushed {
    const words = this.#words;
    const triggers = this.triggers;
    for (let left = steps; left > 0 && this.isRunning; left--) {
      // In front of all else: it is as if time had stood still when the timer was due.
      if (triggers?.isDue === true) {
        const recovered = this.#fireNext(triggers);
        if (recovered !== undefined) return recovered;
        continue;
      }
      if (this.#adding > 0 && triggers !== undefined) {
        const recovered = this.#addTo(triggers);
        if (recovered !== undefined) return recovered;
        continue;
      }
      if (this.#adding > 0) {
        const count = Math.min(left, this.#adding);
        const recovered = this.#addRows(count);
        if (recovered !== undefined) return recovered;
        left -= count - 1;
        continue;
      }
      const at = this.#at;
      switch (words[at]) {
        case KEY:
          this.#keyOfSlot.set(words[at + 1]!, this.#rows.keys[words[at + 2]!]);
          this.#at += 3;
          break;
        case DROP:
          this.#keyOfSlot.set(words[at + 1]!, undefined);
          this.#at += 2;
          break;
        case INIT:
          this.#values.init(words[at + 1]!);
          this.#at += 2;
          break;
        case ADD:
          this.#adding = words[at + 1]!;
          this.#at += 2;
          break;
        case MERGE:
          this.#merge(words[at + 1]!, words[at + 2]!);
          this.#at += 3;
          break;
        case EMIT:
          this.#at += 4;
          this.#emit(words.subarray(at + 1, at + 2), words[at + 2]!, words[at + 3]!);
          break;
        case EMIT_PANES: {
          const panes = words[at + 3]!;
          this.#at += 4 + panes;
          this.#emit(words.subarray(at + 4, at + 4 + panes), words[at + 1]!, words[at + 2]!);
          break;
        }
        case OPEN: {
          const window = words[at + 3]!;
          triggers?.open(words[at + 1]!, words[at + 2]!, this.#windows[2 * window]!, this.#windows[2 * window + 1]!);
          this.#at += 4;
          break;
        }
        case FREE:
          triggers?.free(words[at + 1]!);
          this.#values.free(words[at + 1]!);
          this.#at += 2;
          break;
        default:
          throw new RangeError(`a program of windows has the word ${words[at]}`);
      }
    }
    return undefined;
  }

  /** Adds the next rows, up to one that cannot be added. */
  #addRows(count: number): Pushed {
    const { records, keys } = this.#rows;
    const at = this.#at;
    try {
      this.#values.addRows(this.#words, at, count, records);
    } catch (error) {
      const failed = at + 2 * this.#values.added;
      const [row, acc] = [this.#words[failed]!, this.#words[failed + 1]!];
      this.#took(this.#values.added + 1);
      return this.#host.recover(error, records[row], keys[row], () => {
        this.#values.add(acc, records[row]);
        return noMore;
      });
    }
    this.#took(count);
    return undefined;
  }

  /** Adds the next row, and does what the trigger says of it. */
  #addTo(triggers: WindowTriggers): Pushed {
    const [row, acc] = [this.#words[this.#at]!, this.#words[this.#at + 1]!];
    const record = this.#rows.records[row];
    this.#took(1);
    return this.#ask(triggers, () => triggers.element(acc, record), record, this.#rows.keys[row]);
  }

  /** Does what the trigger says of the next timer that is due. */
  #fireNext(triggers: WindowTriggers): Pushed {
    const due = triggers.takeDue();
    if (due === undefined) return undefined;
    return this.#ask(triggers, () => triggers.timer(due), new FailedTimer(due.kind, due.time), triggers.keyOf(due));
  }

  #ask(triggers: WindowTriggers, ask: () => void, record: unknown, key: unknown): Pushed {
    const act = (): undefined => triggers.act();
    try {
      ask();
    } catch (error) {
      return this.#host.recover(error, record, key, () => {
        ask();
        return act;
      });
    }
    return act();
  }

  #took(rows: number): void {
    this.#at += 2 * rows;
    this.#adding -= rows;
  }

  #merge(into: number, from: number): void {
    if (!this.#values.isEmpty(from)) this.#values.merge(into, from);
    this.triggers?.merge(into, from);
  }

  #emit(accs: Int32Array, slot: number, window: number): void {
    this.#emitWindow(accs, slot, this.#windows[2 * window]!, this.#windows[2 * window + 1]!);
  }

  #emitWindow(accs: Int32Array, slot: number, start: number, end: number): void {
    // A record that an error policy left out may have been the only one of its window, which then gives no result.
    if (accs.every((acc) => this.#values.isEmpty(acc))) return;
    const of = { key: this.#keyOfSlot.get(slot), start, end };
    this.#host.emit(this.#values.result(accs, of), of);
  }
}
