/**
 * Timers of the key in hand. A key has at most one timer of a kind at a time; registering it again changes nothing.
 *
 * A timer whose time is past already fires right behind the record or timer in hand. `onTimer` is called with `ctx.key` and the state
 * of the key that registered it.
 */
export interface Timers {
  /**
   * Has `onTimer(t, 'event')` called when event time has passed `t`: all records with a timestamp up to `t` have come (late ones apart).
   * At the end of the input all of them fire, those that `onTimer` registers then excepted.
   *
   * @param t epoch milliseconds
   * @throws SageError SAGE_ENV_CONTEXT where records have no event time; SAGE_USER_WRONG_TYPE unless it is a finite number
   */
  eventTime(t: number): void;
  /**
   * Has `onTimer(t, 'processing')` called when the clock shows `t`. At the end of the input nobody waits for them: they fire at once.
   *
   * @param t epoch milliseconds
   * @throws SageError SAGE_USER_WRONG_TYPE unless it is a finite number
   */
  processingTime(t: number): void;
  /** Takes a timer of event time back; one that is not there is ignored. */
  cancelEventTime(t: number): void;
  /** Takes a timer of the clock back; one that is not there is ignored. */
  cancelProcessingTime(t: number): void;
  /** How far event time has come, in epoch milliseconds: all records before it have been given. Negative infinity before the first. */
  readonly watermark: number;
}

/** Which clock a timer waits for. */
export type TimerKind = 'event' | 'processing';
