import { FlatMapFunction } from 'sage-kernel';

/** Somebody looked at a page. */
export interface Visit {
  readonly page: string;
  readonly seconds: number;
}

/** Reads lines such as `/start 12.5`; counts those that are none and leaves them out. */
export class ParseVisit extends FlatMapFunction<string, Visit> {
  execute(line: string): Visit[] {
    const [, page, seconds] = /^(\/\S*) (\d+(?:\.\d+)?)$/.exec(line) ?? [];
    if (page !== undefined && seconds !== undefined) return [{ page, seconds: Number(seconds) }];
    this.ctx.metrics.counter('unreadableLines').inc();
    return [];
  }
}
