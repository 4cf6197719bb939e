import { EntryReader } from '../checkpoint/entry-reader.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { BatchReader, type LayoutCache } from '../codec/batch-reader.ts';
import { WINDOWS_DONE, WINDOWS_NOTHING, WINDOWS_TOO_SMALL, type Core } from '../native/core.ts';

/** The accumulators of one key, in the order in which the core saves and restores them. */
export interface KeyAccumulators {
  /** Canonical bytes; none of windows without a key. */
  readonly key: Buffer;
  readonly slot: number;
  readonly accumulators: readonly { readonly acc: number; readonly start: number; readonly end: number }[];
}

/** The accumulators of a key that has changed; of one that has no windows any more only the key. */
export type ChangedAccumulators = KeyAccumulators | { readonly key: Buffer; readonly accumulators?: undefined };

/** Outcomes that say nothing but that something is done may wait for company: so many. */
const FEW_DONE = 4;
/** Of an accumulator in their list: number, start and end. */
const ACCUMULATOR_BYTES = 20;

/**
 * The windows of one task in the core. What they are given is worked on in its order, now or soon, by this thread or by one that helps; what
 * comes of it is taken in that order too, and last of each piece comes `WINDOWS_DONE`.
 */
export class CoreWindows {
  /** Late rows, rows between windows, keys that have something, and when the clock is to be told next: as of the last piece that is done. */
  readonly counts: Float64Array = new Float64Array(4);
  readonly #core: Core;
  readonly #handle: number;
  readonly #layouts: LayoutCache;
  readonly #desc = new Int32Array(2);
  readonly #free: BatchReader[] = [];
  #reader: BatchReader;
  #pieces = 0;
  #ready = 0;

  constructor(core: Core, job: number, specJson: string, mayHelp: boolean, layouts: LayoutCache) {
    this.#core = core;
    this.#layouts = layouts;
    this.#handle = core.windowsCreate(job, specJson, mayHelp);
    this.#reader = new BatchReader(layouts);
  }

  /** Whether something was given that is not done. */
  get isBusy(): boolean {
    return this.#pieces > 0;
  }

  /** Whether an outcome is there. */
  get isReady(): boolean {
    return this.#ready > 0;
  }

  /** Whether an outcome is there that should be taken now. */
  get isPressing(): boolean {
    return this.#ready > Math.min(this.#pieces, FEW_DONE);
  }

  give(image: Uint8Array, nowMs: number): void {
    this.#gave(this.#core.windowsGive(this.#handle, image, nowMs));
  }

  advance(watermark: number, nowMs: number): void {
    this.#gave(this.#core.windowsAdvance(this.#handle, watermark, nowMs));
  }

  finish(): void {
    this.#gave(this.#core.windowsFinish(this.#handle));
  }

  #gave(ready: number): void {
    this.#pieces++;
    this.#ready = ready;
  }

  /** Takes the next outcome, one of the `WINDOWS_*` codes; when it `waits`, there is none only when nothing is left. */
  take(waits: boolean): number {
    let taken = this.#takeInto(this.#reader, waits);
    while (taken === WINDOWS_TOO_SMALL) {
      this.#reader.resize(this.#desc[0]!);
      taken = this.#takeInto(this.#reader, waits);
    }
    if (taken === WINDOWS_DONE) this.#pieces--;
    this.#ready = taken === WINDOWS_NOTHING ? 0 : Math.max(0, this.#ready - 1);
    return taken;
  }

  #takeInto(reader: BatchReader, waits: boolean): number {
    return this.#core.windowsTake(this.#handle, waits, reader.image, this.#desc, this.counts);
  }

  /** After `WINDOWS_RESULTS`: the results, whose reader comes back by `giveBack`. */
  results(): BatchReader {
    const reader = this.#reader;
    this.#reader = this.#free.pop() ?? new BatchReader(this.#layouts);
    reader.load();
    return reader;
  }

  giveBack(reader: BatchReader): void {
    this.#free.push(reader);
  }

  /** After `WINDOWS_PROGRAM`: what is to be done. It is valid until the next outcome is taken. */
  program(): { readonly words: Int32Array; readonly windows: Float64Array } {
    const [bytes, words] = this.#desc as unknown as [number, number];
    return { words: this.#reader.I32.subarray(0, words), windows: this.#reader.F64.subarray(Math.ceil(words / 2), bytes / 8) };
  }

  /** After `WINDOWS_LATE`: the rows. */
  lateRows(): number[] {
    return Array.from(this.#reader.I32.subarray(0, this.#desc[1]!));
  }

  /** What the core keeps: how far time is in this instance, and windows by key. All outcomes have been taken when a barrier comes. */
  stateParts({ operator }: PartOwner): StatePart[] {
    return [
      {
        kind: 'own',
        operator,
        name: 'progress',
        save: () => this.#core.stateSaveOwn(this.#handle),
        restore: (saved) => {
          for (const { bytes } of saved) this.#core.stateRestoreOwn(this.#handle, bytes);
        },
      },
      { kind: 'core', operator, name: 'windows', handle: this.#handle },
    ];
  }

  /** The accumulators of all keys, which JavaScript has the values of. */
  *accumulators(): Generator<KeyAccumulators> {
    for (const { key, value } of new EntryReader(bufferOf(this.#core.windowsAccumulators(this.#handle)))) yield listed(key, value);
  }

  /** Those of the keys whose windows were saved last, as changes, and the keys that have none left, which come first; nothing when all were saved. */
  changedAccumulators(): Iterable<ChangedAccumulators> | undefined {
    const changed = this.#core.windowsChangedAccumulators(this.#handle);
    return changed === null ? undefined : Array.from(new EntryReader(bufferOf(changed)).changes(), ({ key, value }) => (value === undefined ? { key } : listed(key, value)));
  }

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function listed(key: Buffer, value: Buffer): KeyAccumulators {
  const count = value.readUInt32LE(4);
  const accumulators = Array.from({ length: count }, (_, n) => {
    const at = 8 + n * ACCUMULATOR_BYTES;
    return { acc: value.readUInt32LE(at), start: value.readDoubleLE(at + 4), end: value.readDoubleLE(at + 12) };
  });
  return { key, slot: value.readUInt32LE(0), accumulators };
}
