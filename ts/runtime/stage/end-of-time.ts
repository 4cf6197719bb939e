import type { StreamTime, StageTimes, TimeConsumer } from './stage-times.ts';

/** Hands event time on through an operator that gives records when its input has ended: time ends behind those, so that they are not late below. */
export class EndOfTime implements TimeConsumer {
  readonly #node: number;
  readonly #times: StageTimes;
  #hasFinished = false;
  #isHeld = false;

  constructor(node: number, times: StageTimes) {
    this.#node = node;
    this.#times = times;
    times.connect(node, this);
  }

  timeChanged({ watermark, isIdle }: StreamTime): void {
    this.#isHeld = watermark === Number.POSITIVE_INFINITY && !this.#hasFinished;
    this.#times.say(this.#node, this.#isHeld ? Number.NEGATIVE_INFINITY : watermark, isIdle);
  }

  /** The operator has given all that it had. */
  finish(): void {
    this.#hasFinished = true;
    if (this.#isHeld) this.#times.say(this.#node, Number.POSITIVE_INFINITY);
  }
}
