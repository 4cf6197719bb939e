/** A future that records of type `T` may come back to: a `FutureStream` of these or of more types. */
export interface Fillable<in T> {
  /** Only for the type; never set. */
  readonly takes: (record: T) => void;
}
