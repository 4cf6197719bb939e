import { type Clock, startTimer } from '../../common/clock.ts';
import type { OwnStatePart } from '../checkpoint/state-part.ts';
import type { RecordIterator } from '../../transformations/source-descriptor.ts';
import type { OpenedSource } from './opened-source.ts';
import type { SegmentFunctions } from './segment-functions.ts';
import { NO_RECORD, type StageControl } from './stage-control.ts';
import type { WorkItem, WorkStack } from './work-stack.ts';

/** What a wait for a source may end with instead of a record. */
const STOPPED = Symbol('the job stops');
const DUE = Symbol('results are due');

/** Has a function called when something that was in flight has settled. */
export type OnWake = (wake: () => void) => void;

/** An async generator whose record was awaited when its job ended has this long to come to its `finally`. */
const OWED_MS = 40;

interface SourceState {
  readonly opened: OpenedSource;
  ended: boolean;
  /** Nothing can become of what it would still give: it counts as ended, and has still to be closed. */
  left: boolean;
  item: WorkItem | undefined;
}

/** The sources of a task: whose turn it is, which have ended, and the promise that one of them gave. */
export class StageSources {
  /** The job was told to stop or is over: pending sources are left. */
  isStopping = false;
  /** There were sources, and none has more records. */
  haveEnded = false;
  readonly #sources: readonly SourceState[];
  readonly #control: StageControl;
  readonly #functions: SegmentFunctions;
  readonly #stack: WorkStack;
  readonly #clock: Clock;
  readonly #rest: () => Promise<void>;
  /** Told that no records of a source follow. */
  readonly #ended: (root: number) => void;
  /** Roots of sources that were left while one of their records may have been on its way. */
  readonly #leftRoots = new Set<number>();
  #nextSource = 0;
  /** A promise of a source that has not settled. */
  #pull: { readonly item: WorkItem; readonly promise: PromiseLike<unknown> } | undefined;
  /** The source that was left with a promise that has not settled. */
  #owing: WorkItem | undefined;
  #onStopping: () => void = () => undefined;
  /** How many records of a root have gone down the pipeline. */
  #recordsOf: (root: number) => number = () => 0;

  constructor(
    opened: readonly OpenedSource[],
    control: StageControl,
    functions: SegmentFunctions,
    stack: WorkStack,
    clock: Clock,
    rest: () => Promise<void>,
    stopping: Promise<void>,
    ended: (root: number) => void,
  ) {
    this.#sources = opened.map((source) => ({ opened: source, ended: false, left: false, item: undefined }));
    this.#control = control;
    this.#functions = functions;
    this.#stack = stack;
    this.#clock = clock;
    this.#rest = rest;
    this.#ended = ended;
    void stopping.then(() => this.endNow());
  }

  /** The sources are left: the core says how they end. */
  endNow(): void {
    this.isStopping = true;
    this.#onStopping();
  }

  /** Leaves the sources that have nothing left to do, as if they had ended. */
  leaveNeedless(): void {
    for (const source of this.#sources) {
      if (source.ended || !this.#control.needless.has(source.opened.root)) continue;
      source.ended = true;
      source.left = true;
      this.#leftRoots.add(source.opened.root);
      if (source.item !== undefined && this.#pull?.item === source.item) this.#onStopping();
    }
    this.haveEnded = this.#sources.length > 0 && this.#sources.every(({ ended }) => ended);
  }

  /** Nothing that came of a record is on its way: says for sources that were left that none of theirs follow. */
  sayLeft(): void {
    if (this.#leftRoots.size === 0) return;
    const roots = [...this.#leftRoots];
    this.#leftRoots.clear();
    for (const root of roots) this.#ended(root);
  }

  /** Whether the rows of an item come from a source that was left. */
  isLeft(item: WorkItem): boolean {
    return this.#sources.some((source) => source.item === item && source.left);
  }

  /** Whether a source gave a promise whose record has not come. */
  get isPending(): boolean {
    return this.#pull !== undefined;
  }

  /** Whether the source whose record is awaited waits for somebody who tests it. */
  get isQuiet(): boolean {
    return (this.#pull?.item.source as RecordIterator | undefined)?.isQuiet === true;
  }

  /** Whether the rows of an item come from a source. */
  has(item: WorkItem): boolean {
    return this.#sources.some((source) => source.item === item);
  }

  /** Puts the next source that has not ended on the stack; several sources of one stage take turns. */
  takeTurn(): void {
    for (let n = 0; n < this.#sources.length; n++) {
      const source = this.#sources[this.#nextSource++ % this.#sources.length]!;
      if (source.ended) continue;
      const { opened } = source;
      source.item ??= {
        root: opened.root,
        segment: this.#functions.get(opened.root, opened.input, ''),
        source: opened.source,
        keys: undefined,
        times: undefined,
        next: opened.start,
        end: opened.end,
      };
      if (source.item.next < source.item.end) {
        opened.cursor?.mark?.(this.#recordsOf(opened.root));
        this.#stack.resumeSource(source.item);
        return;
      }
      this.end(source.item);
    }
  }

  /** A source has no more records. */
  end(item: WorkItem): void {
    this.#control.ended = false;
    const source = this.#sources.find((candidate) => candidate.item === item);
    if (source !== undefined) {
      source.ended = true;
      this.#ended(source.opened.root);
    }
    this.#stack.remove(item);
    this.haveEnded = this.#sources.every(({ ended }) => ended);
  }

  /** A source gave a promise: `awaitRecord` waits for its record, when what came before is worked on. */
  pulled(item: WorkItem, promise: PromiseLike<unknown>): void {
    this.#control.pulled = undefined;
    this.#stack.remove(item);
    this.#sources.find((source) => source.item === item)?.opened.cursor?.awaited?.();
    this.#pull = { item, promise };
    this.#owing = item;
    // It may be rejected before somebody waits for it.
    if (promise instanceof Promise) promise.catch(() => undefined);
  }

  /** Awaits the record of the promise that is pending, unless the job stops, results are due or a call in flight settles first. */
  async awaitRecord(dueInMs: number | undefined, woken: OnWake): Promise<void> {
    const { item, promise } = this.#pull!;
    let stop: (() => void) | undefined;
    const due = dueInMs === undefined ? [] : [new Promise<symbol>((resolve) => {
      stop = startTimer(this.#clock, dueInMs, () => resolve(DUE));
    })];
    let settled: unknown;
    try {
      settled = await this.#unlessStopped([promise, ...due], woken);
    } catch (error) {
      throw this.#control.rejected(error, item.root, NO_RECORD);
    } finally {
      stop?.();
    }
    if (settled === DUE) return;
    this.#pull = undefined;
    if (settled === STOPPED) return;
    this.#owing = undefined;
    const { opened } = this.#sources.find((source) => source.item === item)!;
    let record: ReturnType<OpenedSource['settle']>;
    try {
      record = opened.settle(settled);
    } catch (error) {
      throw this.#control.rejected(error, item.root, NO_RECORD);
    }
    if (record === undefined) this.end(item);
    else if (record.has) this.#stack.push(item.root, this.#functions.get(item.root, { kind: 'array', keyed: false, timed: false }, ''), [record.value], 1);
    else await this.#rest();
  }

  /** How far the sources are; `recordsOf` says how many records of a root have gone down the pipeline. */
  parts(operatorOf: (root: number) => string, recordsOf: (root: number) => number): readonly OwnStatePart[] {
    this.#recordsOf = recordsOf;
    return this.#sources.flatMap((source): readonly OwnStatePart[] => {
      const { cursor, root } = source.opened;
      if (cursor === undefined) return [];
      const ofUser = <T>(call: () => T): T => {
        try {
          return call();
        } catch (error) {
          throw this.#control.threw(error, root, NO_RECORD);
        }
      };
      return [{
        kind: 'own',
        operator: operatorOf(root),
        name: 'position',
        save: () => ofUser(() => cursor.save({ next: source.item?.next ?? source.opened.start, records: recordsOf(root), ended: source.ended })),
        restore: (saved) => ofUser(() => cursor.restore(saved)),
      }];
    });
  }

  /** Tells the sources where they go on: `seek` before their functions are opened, `catchUp` behind that. */
  async goOn(how: 'seek' | 'catchUp'): Promise<void> {
    for (const { opened } of this.#sources) {
      try {
        await opened.cursor?.[how]();
      } catch (error) {
        throw this.#control.rejected(error, opened.root, NO_RECORD);
      }
    }
  }

  /** Leaves the sources: their `return` is called, so that generators can clean up. All are left; the first error is thrown. */
  async close(): Promise<void> {
    const failures: Error[] = [];
    for (const source of this.#sources) {
      if (source.ended && !source.left) continue;
      try {
        const closing = source.opened.close();
        // An async generator comes to its `return` behind the promise that it still owes, and that may never settle.
        if (source.item === this.#owing) await settledWithin(OWED_MS, closing);
        else await closing;
      } catch (error) {
        failures.push(this.#control.rejected(error, source.opened.root, NO_RECORD));
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /**
   * The first promise to settle, or `STOPPED`. Not `Promise.race` with `stopping`: that promise lives as long as the job and
   * would hold on to every record that was ever awaited beside it.
   */
  #unlessStopped(promises: readonly PromiseLike<unknown>[], woken: OnWake): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.isStopping) resolve(STOPPED);
      woken(() => resolve(DUE));
      this.#onStopping = () => resolve(STOPPED);
      for (const promise of promises) promise.then(resolve, reject);
    });
  }
}

/** Waits for a promise, but not longer than this. @throws what it rejects with in that time. */
async function settledWithin(deadlineMs: number, promise: unknown): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, deadlineMs);
  try {
    await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
