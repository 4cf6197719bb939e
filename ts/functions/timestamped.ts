import { SageError } from '../common/errors.ts';
import { describeValue } from './check-user-function.ts';

/** A record that its source gives together with its event time: what {@link timestamped} makes. Functions behind the source see the record alone. */
export class Timestamped<T> {
  /** What the stream has. */
  readonly record: T;
  /** Epoch milliseconds. */
  readonly timestamp: number | Date;

  /** As {@link timestamped}. */
  constructor(record: T, timestamp: number | Date) {
    this.record = record;
    this.timestamp = timestamp;
  }
}

/**
 * A record with its event time, for sources that know it while the record has no field for it: the generator, iterable or
 * `SourceFunction` gives `timestamped(record, t)`, and the source has the option `timestamps`. Without that option the job fails with SAGE_USER_WRONG_TYPE:
 * event time cannot begin in the middle of a job, as windows were planned to go by the clock.
 *
 * ```ts
 * function* ticks() {
 *   for (const [price, at] of [[7, 1_000], [9, 2_000]] as const) yield timestamped(price, at);
 * }
 * env.fromSource(ticks, { timestamps: { outOfOrdernessMs: 0 } }).print();
 * ```
 *
 * @param timestamp epoch milliseconds, or a `Date`. One that is none is SAGE_TIME_INVALID of the record, and one far ahead SAGE_TIME_AHEAD: `onError`
 *   behind the source says what becomes of it
 */
export function timestamped<T>(record: T, timestamp: number | Date): Timestamped<T> {
  return new Timestamped(record, timestamp);
}

/** The event time that a source gave with its record. @throws SageError SAGE_TIME_INVALID when it gave none. */
export function givenTimestamp(given: unknown): unknown {
  if (given instanceof Timestamped) return given.timestamp;
  throw new SageError('SAGE_TIME_INVALID', `the source gave ${describeValue(given)} without a timestamp, and has the option timestamps`, {
    help: 'Give timestamped(record, t) for each record, with t in epoch milliseconds.',
  });
}

/** What a source is told that gave a record with its timestamp unasked: nothing would come of the timestamp. */
export function notAskedForTimestamp(): SageError {
  return new SageError('SAGE_USER_WRONG_TYPE', 'the source gave timestamped(record, t), and has no option timestamps', {
    help: 'Write fromSource(source, { timestamps: { outOfOrdernessMs: 5000 } }), and its records have event time; or give the record alone.',
  });
}

/** What the stream has of what a source gave. */
export function recordWithin(given: unknown): unknown {
  return given instanceof Timestamped ? given.record : given;
}
