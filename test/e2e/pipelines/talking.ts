import { definePipeline, type LocalEnvironment, MapFunction } from '../../../ts/index.ts';

/** How its functions talk. */
export interface Talk {
  readonly records: number;
  /** Lines for each record. */
  readonly lines: number;
  /** The record at which the thread exits. */
  readonly exitsAt?: number;
}

class Talking extends MapFunction<number, number> {
  readonly #talk: Talk;
  #line = 0;

  constructor(talk: Talk) {
    super();
    this.#talk = talk;
  }

  override open() {
    this.logger.debug('opened');
  }

  execute(n: number) {
    for (let line = 0; line < this.#talk.lines; line++) this.logger.info({ line: this.#line++ }, 'record %d', n);
    if (n === this.#talk.exitsAt) process.exit(7);
    return n;
  }

  override close() {
    const err = new RangeError('the last', { cause: new Error('behind it') });
    this.logger.child({ part: 'close' }).warn({ err, lines: this.#line, odd: 5n }, 'closed');
  }
}

/** Each instance numbers its lines. */
export const talking = definePipeline(import.meta.url, (env: LocalEnvironment, talk: Talk) => {
  env
    .fromCollection(Array.from({ length: talk.records }, (_, n) => n))
    .map(Talking, talk)
    .named('talk')
    .sink(() => {});
});
