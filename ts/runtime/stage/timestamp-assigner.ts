import type { Clock } from '../../common/clock.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { ownValuePart } from '../checkpoint/value-parts.ts';
import { SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import { recordWithin } from '../../functions/timestamped.ts';
import { IdleWatch } from './idle-watch.ts';
import type { TimestampSettings } from '../../transformations/assign-timestamps-transformation.ts';

/** Dates of JavaScript end here. */
const MAX_EPOCH_MS = 8.64e15;
/** Stands for the timestamp before the first one: a finite number, so that generated code finds no infinite one right. */
const NONE = -MAX_EPOCH_MS - 1;

/** Milliseconds of a unit. */
const MS = { ms: 1, s: 1000, us: 1e-3, ns: 1e-6 } as const;
const ISO_TEXT = /^[+-]?\d{4,6}-\d\d-\d\d(?<time>[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?<offset>Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** The milliseconds of an ISO 8601 text, NaN for another one. A text without an offset is of UTC: it must not mean something else on each machine. */
function isoTime(text: string): number {
  const groups = ISO_TEXT.exec(text)?.groups;
  if (groups === undefined) return Number.NaN;
  if (groups['time'] === undefined) return Date.parse(text);
  const { offset = 'Z' } = groups;
  const zone = offset.length === 3 ? `${offset}:00` : offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset.toUpperCase();
  const local = text.slice(0, text.length - (groups['offset']?.length ?? 0)).replace(/[t ]/, 'T').replace(',', '.');
  return Date.parse(local + zone);
}

/** Tells how far event time is: all records before `watermark` have been given, and with `isIdle` none come for now. */
export type SayTime = (watermark: number, isIdle: boolean) => void;

/**
 * The event time of one `assignTimestamps`: checks timestamps, and derives the watermark. Generated code looks at a record for
 * itself and calls this only where there is something to do.
 */
export class TimestampAssigner {
  /** The greatest timestamp so far; generated code writes it. */
  max: number = NONE;
  /** For generated code, where the source gives records with their time. */
  readonly recordWithin: (given: unknown) => unknown = recordWithin;
  readonly #settings: TimestampSettings;
  /** Counted by generated code where `idleMs` is set. */
  records = 0;
  readonly #clock: Clock;
  readonly #say: SayTime;
  readonly #idle: IdleWatch | undefined;
  #said = Number.NEGATIVE_INFINITY;
  #saidIdle = false;
  /** What was said before the restart has still to be said: when it was restored, not all operators below had been. */
  #saysAgain = false;

  /**
   * @param say called when asked to, and for a record that is behind the watermark, before it goes on: what it is late for must not depend on how many
   *            records are worked on at a time
   */
  constructor(settings: TimestampSettings, clock: Clock, say: SayTime) {
    this.#settings = settings;
    this.#clock = clock;
    this.#say = say;
    if (settings.idleMs !== undefined) this.#idle = new IdleWatch(settings.idleMs, clock.monotonicMs());
  }

  /** A timestamp up to this is not too far ahead. */
  limitMs(): number {
    return Math.min(MAX_EPOCH_MS, this.#clock.now() + this.#settings.maxAheadMs);
  }

  get watermark(): number {
    return this.max === NONE ? Number.NEGATIVE_INFINITY : this.max - this.#settings.outOfOrdernessMs;
  }

  /** What a function or field gave, as a number. @throws SageError SAGE_TIME_INVALID */
  number(given: unknown): number {
    const { unit = 'ms' } = this.#settings;
    if (given instanceof Date) return given.getTime();
    if (unit === 'iso') {
      const time = typeof given === 'string' ? isoTime(given) : Number.NaN;
      if (Number.isNaN(time)) throw new SageError('SAGE_TIME_INVALID', `the timestamp of a record is ${describeValue(given)}, and not a date and time as in '2026-01-31T12:00:00Z'`);
      return time;
    }
    if (typeof given === 'number') return given * MS[unit];
    throw invalid(`the timestamp of a record is ${describeValue(given)}`);
  }

  /** As the generated code: what was given for the next record, as a number that is noted. @throws as `number` and `note`. */
  take(given: unknown): number {
    const time = this.number(given);
    this.note(time);
    this.records++;
    return time;
  }

  /**
   * Notes the timestamp of the next record.
   *
   * @throws SageError SAGE_TIME_INVALID or SAGE_TIME_AHEAD; nothing has changed then.
   */
  note(time: number): void {
    if (time > this.max) {
      if (time > this.limitMs()) throw this.#tooFarAhead(time);
      this.max = time;
      return;
    }
    // NaN is neither.
    if (!(time <= this.max)) throw invalid('the timestamp of a record is NaN');
    if (time < -MAX_EPOCH_MS) throw invalid(`the timestamp of a record is ${time}, before all dates`);
    if (time < this.watermark) this.publish();
  }

  /** How far time is. At another parallelism records change instances: it is then that of the instance in which it was least far. */
  statePart(owner: PartOwner): StatePart {
    return ownValuePart<{ readonly max: number; readonly said: number }>(owner, {
      name: 'time',
      describe: () => 'the greatest timestamp',
      save: () => ({ max: this.max, said: this.#said }),
      restore: (saved) => {
        const isSame = saved.length === owner.parallelism && saved.every(({ parallelism }) => parallelism === owner.parallelism);
        const from = isSame ? saved.filter(({ instance }) => instance === owner.instance) : saved;
        this.max = Math.min(...from.map(({ value }) => value.max));
        this.#said = Math.min(...from.map(({ value }) => value.said));
        this.#saysAgain = this.#said !== Number.NEGATIVE_INFINITY;
      },
    });
  }

  /** Takes over what somebody else says of event time. */
  tell(watermark: number, isIdle: boolean): void {
    this.#said = Math.max(this.#said, watermark);
    this.#say(this.#said, isIdle);
  }

  /** Says how far event time is, unless that was said, or somebody else says it. */
  publish(): void {
    this.#sayAgain();
    if (this.#settings.watermarks !== undefined) return;
    const { watermark } = this;
    if (watermark <= this.#said && !this.#saidIdle) return;
    this.#saidIdle = false;
    this.#said = Math.max(this.#said, watermark);
    this.#say(this.#said, false);
  }

  /**
   * Says how far event time is, or that it is idle; called when nothing is left to do, or the isolate is given back.
   *
   * @param mayWait whether records could have come: not so while the job is paused
   */
  look(mayWait: () => boolean): void {
    this.#sayAgain();
    if (this.#idle?.look(this.records, this.#clock.monotonicMs(), mayWait) === true && this.#idle.isIdle) {
      this.#saidIdle = true;
      this.#said = Math.max(this.#said, this.watermark);
      this.#say(this.#said, true);
      return;
    }
    if (this.#idle?.isIdle !== true) this.publish();
  }

  #sayAgain(): void {
    if (!this.#saysAgain) return;
    this.#saysAgain = false;
    this.#say(this.#said, false);
  }

  /** Time until it may become idle. */
  get dueInMs(): number | undefined {
    return this.#idle?.dueInMs(this.#clock.monotonicMs());
  }

  #tooFarAhead(time: number): SageError {
    const { maxAheadMs } = this.#settings;
    if (time > MAX_EPOCH_MS) return invalid(`the timestamp of a record is ${time}, behind all dates`);
    return new SageError('SAGE_TIME_AHEAD', `the timestamp of a record, ${new Date(time).toISOString()}, is ${Math.round(time - this.#clock.now())} ms ahead of the clock; ${maxAheadMs} ms are allowed`);
  }
}

function invalid(message: string): SageError {
  return new SageError('SAGE_TIME_INVALID', `${message}, and not a number of milliseconds since 1970 or a Date`);
}
