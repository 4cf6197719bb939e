import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

import { ElasticStages, LOOK_EVERY_MS } from '../../../ts/runtime/job/elastic-stages.ts';
import type { CoreMetrics } from '../../../ts/runtime/job/job-result.ts';
import { hold, letPass } from '../random/held-rows.ts';
import { Random } from '../random/random.ts';

/** Of a machine on which a stage can get two instances more. */
export const PROCESSORS = 3;
const EVERY_MS = 5;

/**
 * While it is in use, workers join a job when dice say so, and not when a stage is the bottleneck; and held rows wait for so
 * many workers as dice say too, so that they come before the end, at the end, and behind it. Everything else is the product's.
 */
export class DicedJoins implements Disposable {
  readonly #real = { look: ElasticStages.prototype.look, setInterval: globalThis.setInterval, processors: os.availableParallelism };
  /** For what else is to be chosen. */
  readonly dice: Random;
  readonly #started = new WeakMap<ElasticStages, number>();
  readonly #onLook: ((come: number) => void) | undefined;

  /** `onLook` is called now and then while a job runs, with the number of workers that have come. */
  constructor(seed: number, onLook?: (come: number) => void) {
    this.dice = new Random(seed);
    this.#onLook = onLook;
    const joinChance = this.dice.pick([0.05, 0.2, 1]);
    const wanted = this.dice.below(PROCESSORS);
    const passChance = this.dice.pick([0.02, 0.1, 1]);
    const look = (stages: ElasticStages, now: CoreMetrics): number | undefined => {
      if (now.state !== 'running') return undefined;
      const late = Math.max(0, ...now.tasks.map(({ isolate }) => isolate));
      // A worker whose tasks have all ended without it never wakes one.
      const outstanding = new Set(now.tasks.filter(({ isolate, awake, finished }) => isolate > 0 && !awake && !finished).map(({ isolate }) => isolate));
      const come = late - outstanding.size;
      this.#onLook?.(come);
      if (come >= Math.min(wanted, late) && this.dice.chance(passChance)) letPass();
      const started = this.#started.get(stages) ?? 0;
      if (started === late || !this.dice.chance(joinChance)) return undefined;
      this.#started.set(stages, started + 1);
      return started + 1;
    };
    ElasticStages.prototype.look = function (now) {
      return look(this, now);
    };
    const { setInterval } = this.#real;
    globalThis.setInterval = ((call: () => void, everyMs?: number, ...args: []) => {
      if (everyMs !== LOOK_EVERY_MS) return setInterval(call, everyMs, ...args);
      // Only a job that is looked at: nobody would ever let the rows of another one pass.
      hold();
      return setInterval(call, EVERY_MS, ...args);
    }) as typeof globalThis.setInterval;
    os.availableParallelism = () => PROCESSORS;
    syncBuiltinESMExports();
  }

  [Symbol.dispose](): void {
    ElasticStages.prototype.look = this.#real.look;
    globalThis.setInterval = this.#real.setInterval;
    os.availableParallelism = this.#real.processors;
    syncBuiltinESMExports();
    letPass();
  }
}
