import { BatchReader, type LayoutCache } from '../codec/batch-reader.ts';
import { WINDOWS_DONE, WINDOWS_NOTHING, WINDOWS_TOO_SMALL, type Core } from '../native/core.ts';

/** Outcomes that say nothing but that something is done may wait for company: so many. */
const FEW_DONE = 4;

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

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}
