import type { RecordedCall } from './recorded-outcomes.ts';

/** What a call of `mapAsync` is told beside its record; one for each attempt. */
export class AsyncCall {
  readonly attempt: number;
  readonly key: unknown;
  protected controller: AbortController | undefined = undefined;
  protected abortedBy: unknown = undefined;

  constructor(attempt: number, key: unknown) {
    this.attempt = attempt;
    this.key = key;
  }

  /** Made when it is asked for: most calls never do. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortedBy !== undefined) this.controller.abort(this.abortedBy);
    }
    return this.controller.signal;
  }

  /** The attempt is given up. */
  abort(reason: Error): void {
    this.abortedBy = reason;
    this.controller?.abort(reason);
  }
}

/** Where a record is on its way through the operator. */
export type EntryState = 'waiting' | 'running' | 'done' | 'left out';

/** One record in the operator; also what its first attempt is told. */
export class AsyncEntry extends AsyncCall {
  readonly value: unknown;
  /** Identity of the key, where calls of one key are limited. */
  readonly lane: unknown;
  /** Event time of the record, if it has one. */
  readonly time: number | undefined;
  /** Of the records that came between the same two watermarks. */
  readonly epoch: object;
  /** Of the records that came, which one it is. */
  readonly place: number;
  /** Attempts begun so far. */
  attempts = 0;
  state: EntryState = 'waiting';
  result: unknown = undefined;
  /** Where outcomes are recorded, when it has been begun. */
  recorded: RecordedCall | undefined = undefined;
  /** What the attempt at hand was told. */
  current: AsyncCall = this;

  constructor(value: unknown, key: unknown, time: number | undefined, lane: unknown, epoch: object, place: number) {
    super(1, key);
    this.value = value;
    this.time = time;
    this.lane = lane;
    this.epoch = epoch;
    this.place = place;
  }
}
