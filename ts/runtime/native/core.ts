/**
 * The functions of the native core, as the binding exports them: free functions over integer handles, called once a
 * batch. Errors are thrown as `Error` whose message is the core's error as JSON (`toSageError` reads it).
 */
export interface Core {
  /** Of the core; that of the package, when both are of one release. */
  crateVersion(): string;
  createJob(graph: Uint8Array): number;
  attachIsolate(job: number, isolate: number, wake?: () => void): number;
  detachIsolate(isolate: number): void;
  /** Gives back `released` (-1: none) and takes the next ready task; -1 for none within `waitMs`, -2 when the job is over here. */
  poll(isolate: number, released: number, waitMs: number): number;
  /** Takes what is next for a task: one of the `TAKE_*` codes. `desc` = [gate, image bytes, rows, layout id]; for `TAKE_TIME` [gate, 1 when it is idle] and a float64, the watermark, at byte 8. */
  take(isolate: number, task: number, desc: Int32Array, into: Uint8Array): number;
  /** Sends a batch image to an output; 1 while there is credit left, else 0. */
  emit(isolate: number, task: number, output: number, image: Uint8Array): number;
  /** Says on an output that all records before `watermark` (epoch milliseconds) have been sent, and whether none come for now. */
  emitTime(isolate: number, task: number, output: number, watermark: number, isIdle: boolean): void;
  hasCredit(isolate: number, task: number): number;
  /** Says whether the task holds work of its own, so that it is ready as soon as it has credit. */
  keepTask(isolate: number, task: number, keeps: boolean): void;
  finishTask(isolate: number, task: number): void;
  release(isolate: number, task: number): void;
  failJob(job: number, errorJson: string): void;
  pauseJob(job: number): void;
  resumeJob(job: number): void;
  stopJob(job: number, drain: boolean): void;
  endSource(job: number, task: number): void;
  cancelJob(job: number): void;
  jobStatus(job: number): string;
  jobMetrics(job: number): string;
  onJobEvent(job: number, callback: (eventJson: string) => void): void;
  dropJob(job: number): void;
  closeAllJobs(): void;
  internLayout(job: number, text: string): number;
  layoutText(job: number, id: number): string;
  internShape(job: number, text: string): number;
  shapeText(job: number, id: number): string;
  reportCounts(isolate: number, task: number, counts: Float64Array): void;
  aggregateCreate(job: number, specJson: string): number;
  aggregateUpdate(handle: number, image: Uint8Array): void;
  /** Adds a batch whose running results are wanted; how many batches have results that should be taken now. */
  aggregateUpdateEmit(handle: number, image: Uint8Array): number;
  /** The oldest running results: bytes written, 0 for none, or minus the bytes needed. */
  aggregateTakeResults(handle: number, into: Uint8Array): number;
  /** The next slot, -1 after the last, -2 when `into` is too small (`desc[1]` = bytes needed). `desc[2]` = rows. */
  aggregateDrain(handle: number, fromSlot: number, maxRows: number, into: Uint8Array, desc: Int32Array): number;
  slotsCreate(job: number): number;
  slotsFor(handle: number, image: Uint8Array, out: Int32Array): number;
  /** Forgets the keys of these slots; how many keys there are then. */
  slotsFree(handle: number, slots: Int32Array): number;
  stateDrop(handle: number): void;
  /** Windows (`docs/internals/windows.md`): with built-in aggregators `windowsFire` gives results, else `windowsProgram` says what to do. */
  windowsCreate(job: number, specJson: string): number;
  /** Adds rows from `fromRow` on; the row to go on with. `late` = number of late rows, and which: one place more than rows. */
  windowsAdd(handle: number, image: Uint8Array, times: Float64Array, fromRow: number, nowMs: number, late: Int32Array): number;
  /** 1 when something is due, else 0. */
  windowsAdvance(handle: number, watermark: number, nowMs: number): number;
  /** No more rows come: 1 when something is due, else 0. */
  windowsFinish(handle: number): number;
  /** 0 when nothing is due, 1 when results were written, -2 when `into` is too small. `desc` = [0, image bytes, rows, layout id]. */
  windowsFire(handle: number, maxResults: number, into: Uint8Array, desc: Int32Array): number;
  /** 0 when there is nothing to do, 1 when the program was written, -2 without room. `desc` = [words, numbers of windows]. */
  windowsProgram(handle: number, maxResults: number, words: Int32Array, windows: Float64Array, desc: Int32Array): number;
  /** `out` = [late rows, rows between windows, keys, when the clock should be told next or infinity]. */
  windowsCounts(handle: number, out: Float64Array): void;
  windowsBytes(handle: number): number;
  timersCreate(job: number): number;
  /** Registers pairs of time and id, in order; how many timers there are then. */
  timersRegister(handle: number, times: Float64Array, ids: Int32Array): number;
  timersCancel(handle: number, times: Float64Array, ids: Int32Array): number;
  timersCancelAll(handle: number, id: number): number;
  /** Replaces each id by 1 when it has a timer, else by 0; how many timers there are. */
  timersHeld(handle: number, ids: Int32Array): number;
  /** Takes what is due, as much as there is room for; how many. */
  timersDue(handle: number, upToMs: number, times: Float64Array, ids: Int32Array): number;
  /** When the next timer is due; infinity when there is none. */
  timersNext(handle: number): number;
  probeSource(specJson: string): string;
  planSplits(specJson: string, parallelism: number): string;
}

export const TAKE_NOTHING = 0;
export const TAKE_BATCH = 1;
export const TAKE_SOURCE = 2;
export const TAKE_END_DRAINED = 3;
export const TAKE_END_STOPPED = 4;
export const TAKE_TOO_SMALL = 5;
export const TAKE_TIME = 6;

export const POLL_NONE = -1;
export const POLL_OVER = -2;
