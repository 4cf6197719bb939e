import type { TimerKind } from '../../functions/state/timers.ts';
import type { Stage, StageNode } from '../../compiler/physical-plan.ts';

/** Puts something in front of a user's function: gives what is to be called instead of it, or the function itself. */
export type Instrument = <F extends object>(fn: F, node: StageNode, stage: Stage) => F;

/** What has become of a timer of a key. */
export interface TimerChange {
  /** Place of the operator in the pipeline. */
  readonly operator: number;
  readonly kind: TimerKind;
  readonly time: number;
  readonly key: unknown;
  readonly change: 'registered' | 'cancelled' | 'fired';
}

/** Told of timers, once what the function has asked for holds. */
export type OnTimer = (change: TimerChange) => void;
