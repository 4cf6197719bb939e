import { type Clock, startTimer } from '../../common/clock.ts';
import { formatSourceLocation } from '../../common/source-location.ts';
import type { Logger } from '../../functions/logger.ts';
import type { AssignTimestampsTransformation } from '../../transformations/assign-timestamps-transformation.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { OperatorCounts } from '../../transformations/job.ts';
import { SourceTimestampsTransformation } from '../../transformations/source-timestamps-transformation.ts';
import { findHeldBack } from './held-back.ts';

/** An operator may wait so long for one of its streams before somebody is told. */
const PATIENCE_MS = 60_000;
/** Time between two looks. */
const LOOK_EVERY_MS = 10_000;

/** One operator that waits. */
interface Wait {
  readonly by: AssignTimestampsTransformation;
  readonly watermark: number;
  sinceMs: number;
  isTold: boolean;
}

/** What a watch asks for at each look. */
export interface WatchedJob {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transformations: ReadonlyMap<number, BaseTransformation>;
  readonly operators: () => readonly OperatorCounts[];
  /** Whether records could have come. */
  readonly isRunning: () => boolean;
}

/**
 * Warns when event time of an operator has stood still for a minute of the job's clock since it waits for one of its streams, while others have
 * gone on: windows, joins and timers behind it would give nothing without a word. Once for each operator and stream, until it has gone on.
 */
export class HeldBackWatch {
  readonly #job: WatchedJob;
  readonly #waits = new Map<number, Wait>();
  #cancel: (() => void) | undefined;

  constructor(job: WatchedJob) {
    this.#job = job;
  }

  /** Looks now and then, until `stop`. Not called where somebody else says when to look. */
  start(): void {
    this.#cancel = startTimer(this.#job.clock, LOOK_EVERY_MS, () => {
      this.look();
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Looks who waits, and since when. */
  look(): void {
    const { clock, operators, transformations, isRunning } = this.#job;
    const nowMs = clock.monotonicMs();
    if (!isRunning()) {
      for (const wait of this.#waits.values()) wait.sinceMs = nowMs;
      return;
    }
    const counts = operators();
    const held = findHeldBack(counts, transformations);
    for (const { id, name, watermark = Number.NEGATIVE_INFINITY } of counts) {
      const { by, isFirst, wouldGoOn } = held.get(id) ?? {};
      if (by === undefined || isFirst !== true || wouldGoOn !== true) {
        this.#waits.delete(id);
        continue;
      }
      const wait = this.#waits.get(id);
      if (wait === undefined || wait.by !== by || watermark > wait.watermark) this.#waits.set(id, { by, watermark, sinceMs: nowMs, isTold: false });
      else if (!wait.isTold && nowMs - wait.sinceMs >= PATIENCE_MS) {
        wait.isTold = true;
        this.#warn(name, by);
      }
    }
  }

  #warn(operator: string, by: AssignTimestampsTransformation): void {
    const text = `event time of '${operator}' has waited for '${by.name}' (${formatSourceLocation(by.declaredAt)}) for ${PATIENCE_MS / 1000} s, while that of its other streams has gone on: windows, joins and timers that need it give nothing meanwhile. ${fixFor(by)}`;
    this.#job.logger.child({ operator }).warn({ heldBackBy: by.name }, text);
  }
}

function fixFor(by: AssignTimestampsTransformation): string {
  const { idleMs, watermarks } = by.settings;
  if (watermarks !== undefined) return 'Have its source say a watermark, or that it is idle.';
  if (idleMs !== undefined) return `It has idleMs: ${idleMs}, so that its records do come, with timestamps that do not go on: look at what gives them.`;
  const where = by instanceof SourceTimestampsTransformation ? 'in timestamps of its source' : 'there';
  return `If its records may stay away, write idleMs: 30_000 ${where}: nobody waits for it then.`;
}
