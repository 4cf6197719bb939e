/** The reader's side of what `collect()` has buffered: records are taken without a promise for each. */
export interface RecordPull<out T> {
  /** Records that can be taken now. */
  readonly available: number;
  /** The next record; only while there are any. */
  take(): T;
  /** Starts the job if need be; `true` when there are records, `false` at the end. @throws the job's error. */
  untilAvailable(): Promise<boolean>;
  /** Nobody will take any more: cancels the job and waits for its end. */
  leave(): Promise<void>;
}
