import type { Clock } from '../../../ts/index.ts';

/** A clock that a test drives. */
export class ManualClock implements Clock {
  ms = 0;

  now(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }
}
