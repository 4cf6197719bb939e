import type { StreamTime, TimeConsumer } from './stage-times.ts';

/** What an output that carries event time is connected to. */
export interface TimedOutputHost {
  /** Sends the rows that wait in the open batch. */
  flush(): void;
  emitTime(watermark: number, isIdle: boolean): void;
}

/**
 * Watermarks of one output. One waits until a batch leaves anyway, or until a record comes that is late for it: records before and
 * behind a watermark may change places with it, but for those.
 */
export class TimedOutput implements TimeConsumer {
  /** The watermark that has not been sent; negative infinity for none. */
  waiting: number = Number.NEGATIVE_INFINITY;
  readonly #host: TimedOutputHost;
  #news: StreamTime | undefined;

  constructor(host: TimedOutputHost) {
    this.#host = host;
  }

  timeChanged(time: StreamTime): void {
    this.#news = time;
    this.waiting = time.watermark;
  }

  /** Sends the open batch and, behind it, what waits. */
  send(): void {
    this.#host.flush();
    this.sendTime();
  }

  /** Sends what waits, when the open batch has left; whether there was anything. */
  sendTime(): boolean {
    const time = this.#news;
    if (time === undefined) return false;
    this.#news = undefined;
    this.waiting = Number.NEGATIVE_INFINITY;
    this.#host.emitTime(time.watermark, time.isIdle);
    return true;
  }
}
