/**
 * The functions of the native core, as the binding exports them: free functions over integer handles, called once a
 * batch. Errors are thrown as `Error` whose message is the core's error as JSON (`toSageError` reads it).
 */
export interface Core {
  /** Of the core; that of the package, when both are of one release. */
  crateVersion(): string;
  /** `checkpointsJson`: `CheckpointSettings` of `sage-runtime`. */
  createJob(graph: Uint8Array, checkpointsJson?: string): number;
  /** The epoch that the job goes on from; -1 when it begins from nothing. */
  checkpointRestored(job: number): number;
  /** What the epoch that the job goes on from says of an operator: `OPERATOR_IS_NEW`, 1 when it goes on, `OPERATOR_HAD_ENDED`. */
  checkpointOperator(job: number, operator: string): number;
  /** Newer epochs that the job could not go on from, as they are damaged: an error each, as JSON. */
  checkpointSkipped(job: number): string[];
  /** Begins an epoch: its number; -1 while one is under way, and when nothing is left to save. */
  checkpointBegin(job: number): number;
  /** Has a copy of the next epoch written to a file that is not there yet. What becomes of it is an event. */
  savepointBegin(job: number, path: string): void;
  /** As `stopJob` without drain, and has a copy of the last epoch written to a file that is not there yet. */
  savepointStop(job: number, path: string): void;
  /** What is in a savepoint or checkpoint, as JSON (`EpochListing` of `sage-checkpoint`), after checking all of it. */
  checkpointInspect(path: string): string;
  /** The epoch for which a source task of the isolate is to take its barrier; -1 for none. The isolate is woken when this changes. */
  checkpointAsked(isolate: number): number;
  /** The epoch that tasks of the isolate may hand over changes on top of, for the one under way; 0 when parts have to be whole. */
  checkpointBase(isolate: number): number;
  /** Hands over what a task saves at its barrier, and sends the barrier on. Epoch 0, right before `finishTask`: what stays of it in all later epochs. */
  checkpointAcknowledge(isolate: number, task: number, epoch: number, image: Uint8Array): void;
  checkpointRefuse(isolate: number, task: number, epoch: number, error: string): void;
  /** What an instance goes on from: a kind (0: no such part, 1: bytes of each instance of then, 2: entries of its key groups), and that. */
  checkpointRead(job: number, operator: string, name: string, instance: number, parallelism: number): Uint8Array;
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
  /** A task of a loop has nothing left of what it took. */
  settleTask(isolate: number, task: number): void;
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
  /** States of user functions for each key; `specJson` is `KeyedStateSpec` of `sage-state`. */
  keyedStateCreate(job: number, specJson: string): number;
  /** One more state, whose number is the next one; `stateJson` is `StateSpec` of `sage-state`. */
  keyedStateDeclare(handle: number, stateJson: string): void;
  /** Gives a state that was restored before it was declared its time to live; -1 for none. */
  keyedStateSetTtl(handle: number, state: number, ttlMs: number): void;
  /** Begins a batch and writes the slot of each row; bytes of what `keyedStateTake` gives, 0 for nothing to do. */
  keyedStateBegin(handle: number, nowMs: number, image: Uint8Array, slots: Int32Array): number;
  /** Drops what has expired without a batch; as `keyedStateBegin`. */
  keyedStateExpire(handle: number, nowMs: number): number;
  /** Writes the exchange (`readStateExchange`); bytes written, or minus the bytes needed. */
  keyedStateTake(handle: number, into: Uint8Array): number;
  /** Ends a batch: `changes` are slot, state and bytes (-1: removed) of each state that was written. */
  keyedStateFinish(handle: number, nowMs: number, changes: Int32Array, ends: Int32Array, data: Uint8Array): void;
  keyedStateHold(handle: number, slots: Int32Array, more: boolean): void;
  /** `pairs` = a count, then slot and state of values that the store does not have; the slot to go on with, or -1. */
  keyedStateDirty(handle: number, fromSlot: number, pairs: Int32Array): number;
  keyedStateStore(handle: number, pairs: Int32Array, ends: Int32Array, data: Uint8Array): void;
  /** `desc` = one of the `FOUND_*` codes, and the slot or the number of bytes. */
  keyedStateFind(handle: number, nowMs: number, state: number, key: Uint8Array, desc: Int32Array, into: Uint8Array): void;
  keyedStateCounts(handle: number): string;
  /** About how many bytes of disk the state of the job takes. */
  keyedStateBytesOnDisk(handle: number): number;
  stateDrop(handle: number): void;
  /** Windows (`docs/internals/windows.md`): with built-in aggregators their outcomes are results, else programs. */
  windowsCreate(job: number, specJson: string, mayHelp: boolean): number;
  /** Gives the rows of a batch, with their times where windows go by event time; how many outcomes are there. */
  windowsGive(handle: number, image: Uint8Array, nowMs: number): number;
  /** How many outcomes are there. */
  windowsAdvance(handle: number, watermark: number, nowMs: number): number;
  /** No more rows come; how many outcomes are there. */
  windowsFinish(handle: number): number;
  /**
   * Takes the oldest outcome: one of the `WINDOWS_*` codes. `desc` = [bytes (or bytes needed), words of a program or late rows]. With `WINDOWS_DONE`,
   * `counts` = [late rows, rows between windows, keys, when the clock should be told next or infinity].
   */
  windowsTake(handle: number, waits: boolean, into: Uint8Array, desc: Int32Array, counts: Float64Array): number;
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
  /** Writes the key group of each entry of a keyed part into its head. */
  keyGroupsFill(keyGroups: number, entries: Uint8Array): void;
  /** Keys of some slots: entries whose value is `u32` slot. And back, before any other key comes: the slot of each entry, in their order. */
  slotsKeys(handle: number, slots: Int32Array): Uint8Array;
  slotsRestore(handle: number, entries: Uint8Array): Int32Array;
  /** Time, id and number of registration of each timer, one behind the other, as they become due. */
  timersAll(handle: number): Float64Array;
  /** Keys in memory that have a value of a state (-1: all keys): entries whose value is `u32` slot, `u64` when it expires. */
  keyedStateKeys(handle: number, nowMs: number, state: number): Uint8Array;
  /** Values of a state on disk, of the key groups of an instance: entries whose value is `u64` when it expires, then its bytes. */
  keyedStateEntries(handle: number, nowMs: number, state: number, instance: number, parallelism: number): Uint8Array;
  /** Takes such entries; the slot of each in memory, -1 for those on disk and those that have expired. */
  keyedStateRestore(handle: number, nowMs: number, state: number, entries: Uint8Array): Int32Array;
  /** As `keyedStateBegin`, with the keys of entries. */
  keyedStateBeginKeys(handle: number, nowMs: number, entries: Uint8Array, slots: Int32Array): number;
  /** Everything that the state behind a handle holds, as entries by key group. */
  stateSave(handle: number): Uint8Array;
  /** As `stateSave`, of what has changed since the last call of this or of that; null when everything is to be saved. */
  stateSaveChanges(handle: number): Uint8Array | null;
  /** Puts entries that `stateSave` gave into state that is still empty. */
  stateRestore(handle: number, entries: Uint8Array): void;
  /** Of windows: how far their time is in this instance, and back, before `stateRestore`, for each instance that there was. */
  stateSaveOwn(handle: number): Uint8Array;
  stateRestoreOwn(handle: number, bytes: Uint8Array): void;
  /** Entries of the accumulators of each key: `u32` slot, `u32` count, and for each `u32` accumulator, `f64` start, `f64` end. */
  windowsAccumulators(handle: number): Uint8Array;
  /** As `windowsAccumulators`, of the keys that the last `stateSaveChanges` gave; null when it gave nothing. Keys that have nothing left are removed first. */
  windowsChangedAccumulators(handle: number): Uint8Array | null;
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
/** The loop of the task has come to rest: it is to give what it holds back. */
export const TAKE_FLUSH = 7;
/** Of `checkpointOperator`: the epoch has nothing of it, or there is none. */
export const OPERATOR_IS_NEW = 0;
/** Of `checkpointOperator`: all of its instances had come to their end. */
export const OPERATOR_HAD_ENDED = 2;
/** A barrier: `desc[0]` is 1 when the task stops behind it; its epoch is a float64 at byte 8. Nothing more comes before `checkpointAcknowledge`. */
export const TAKE_BARRIER = 8;

/** No outcome is there yet; or, when the call waited, nothing is left. */
export const WINDOWS_NOTHING = 0;
export const WINDOWS_RESULTS = 1;
export const WINDOWS_PROGRAM = 2;
export const WINDOWS_LATE = 3;
/** The last outcome of what was given. */
export const WINDOWS_DONE = 4;
export const WINDOWS_TOO_SMALL = -2;

export const FOUND_ABSENT = 0;
export const FOUND_SLOT = 1;
export const FOUND_BYTES = 2;
export const FOUND_TOO_SMALL = 3;

export const POLL_NONE = -1;
export const POLL_OVER = -2;
