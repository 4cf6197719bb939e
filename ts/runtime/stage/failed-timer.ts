import type { TimerKind } from '../../functions/state/timers.ts';

/** Stands for the record of a failure where a timer was worked on. */
export class FailedTimer {
  readonly kind: TimerKind;
  readonly time: number;

  constructor(kind: TimerKind, time: number) {
    this.kind = kind;
    this.time = time;
  }
}
