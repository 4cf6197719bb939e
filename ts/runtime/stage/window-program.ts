import type { Core } from '../native/core.ts';
import { RESULT_ROWS } from './keyed-operator.ts';
import type { Pushed } from './linked-node.ts';
import { SlotColumn } from './slot-column.ts';
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

/** The rows that a program speaks of. */
export interface ProgramRows {
  readonly keys: readonly unknown[];
  readonly records: readonly unknown[];
}

/** What a program tells those around it. */
export interface ProgramHost {
  /** A result, with the window that it is of. */
  emit(result: unknown, window: WindowOfKey): void;
  /** What becomes of a record that could not be added. */
  recover(error: unknown, record: unknown, key: unknown, again: () => void): Pushed;
}

const NO_ROWS: ProgramRows = { keys: [], records: [] };

/** Does, one after the other, what the core says is to be done with the accumulators of JavaScript. It may be left in the middle. */
export class WindowProgram {
  readonly #core: Core;
  readonly #handle: number;
  readonly #values: WindowValues;
  readonly #host: ProgramHost;
  readonly #desc = new Int32Array(2);
  readonly #keyOfSlot = new SlotColumn<unknown>();
  #words = new Int32Array(4096);
  #windows = new Float64Array(1024);
  #rows: ProgramRows = NO_ROWS;
  #at = 0;
  #end = 0;
  /** Rows that the ADD at hand still has. */
  #adding = 0;

  constructor(core: Core, handle: number, values: WindowValues, host: ProgramHost) {
    this.#core = core;
    this.#handle = handle;
    this.#values = values;
    this.#host = host;
  }

  /** Whether there is something left to do. */
  get isRunning(): boolean {
    return this.#at < this.#end;
  }

  /** Takes what is to be done next, with these rows; whether there is anything. */
  load(rows: ProgramRows = NO_ROWS): boolean {
    const take = (): number => this.#core.windowsProgram(this.#handle, RESULT_ROWS, this.#words, this.#windows, this.#desc);
    let given = take();
    while (given === -2) {
      this.#words = new Int32Array(Math.max(this.#words.length, this.#desc[0]! * 2));
      this.#windows = new Float64Array(Math.max(this.#windows.length, this.#desc[1]! * 2));
      given = take();
    }
    this.#rows = rows;
    this.#at = 0;
    this.#end = given === 0 ? 0 : this.#desc[0]!;
    return given !== 0;
  }

  /** Works on so many rows and results; a promise where an error policy has something to wait for. */
  run(steps: number): Pushed {
    const words = this.#words;
    for (let left = steps; left > 0 && this.isRunning; left--) {
      if (this.#adding > 0) {
        const recovered = this.#addNext();
        if (recovered !== undefined) return recovered;
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
          this.#values.merge(words[at + 1]!, words[at + 2]!);
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
        case FREE:
          this.#values.free(words[at + 1]!);
          this.#at += 2;
          break;
        default:
          throw new RangeError(`a program of windows has the word ${words[at]}`);
      }
    }
    return undefined;
  }

  #addNext(): Pushed {
    const row = this.#words[this.#at]!;
    const acc = this.#words[this.#at + 1]!;
    const { records, keys } = this.#rows;
    this.#at += 2;
    this.#adding--;
    try {
      this.#values.add(acc, records[row]);
    } catch (error) {
      return this.#host.recover(error, records[row], keys[row], () => this.#values.add(acc, records[row]));
    }
    return undefined;
  }

  #emit(accs: Int32Array, slot: number, window: number): void {
    const of = { key: this.#keyOfSlot.get(slot), start: this.#windows[2 * window]!, end: this.#windows[2 * window + 1]! };
    this.#host.emit(this.#values.result(accs, of), of);
  }
}
