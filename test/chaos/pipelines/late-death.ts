import { type ErrorPolicy, type LocalEnvironment, JsonLinesSink, MapFunction, definePipeline, isWorker } from '../../../ts/index.ts';
import { Lives } from '../support/lives.ts';
import { type Death, type Moment, die } from './dying.ts';

/** One case. */
export interface LateDeathArgs {
  readonly death: Death;
  readonly at: Moment;
  readonly onError: ErrorPolicy;
  /** File of the sink. */
  readonly out: string;
  /** Of `Lives`, for instances 0 and 1. */
  readonly lives: SharedArrayBuffer;
  /** Without end when left away, or, where the death is in `close`, until the late instance is there. */
  readonly records?: number;
}

/** Long enough that one thread cannot keep up with a generator. */
const BURN_MS = 0.1;

/** Works hard in the main isolate, and is the death of the thread of any other instance. */
class LateDeath extends MapFunction<number, { n: number }> {
  readonly #args: LateDeathArgs;
  readonly #lives: Lives;

  constructor(args: LateDeathArgs) {
    super();
    this.#args = args;
    this.#lives = new Lives(args.lives);
  }

  override open(): void {
    this.#lives.opened(this.ctx.parallelIndex);
    this.#reached('open');
  }

  execute(n: number): { n: number } {
    this.#reached('execute');
    const untilMs = performance.now() + BURN_MS;
    while (performance.now() < untilMs);
    return { n };
  }

  override close(): void {
    this.#lives.closed(this.ctx.parallelIndex);
    this.#reached('close');
  }

  #reached(moment: Moment): void {
    if (moment !== this.#args.at || this.ctx.parallelIndex === 0) return;
    this.#lives.beginDeath();
    die(this.#args.death, this.#args.out);
  }
}

/** Numbers through a stage that grows, whose second instance is a thread that dies, into a file. */
export const lateDeath = definePipeline(import.meta.url, (env: LocalEnvironment, args: LateDeathArgs) => {
  const lives = new Lives(args.lives);
  if (args.at === 'build' && isWorker()) {
    lives.beginDeath();
    die(args.death, args.out);
  }
  const { records = Number.POSITIVE_INFINITY, at } = args;
  const isOver = at === 'close' ? (): boolean => lives.of(1).opened > 0 : (): boolean => false;
  env
    .fromSource(function* () {
      for (let n = 0; n < records && !isOver(); n++) yield n;
    })
    .map(LateDeath, args)
    .parallelism('auto')
    .named('the dying')
    .onError(args.onError)
    .sink(new JsonLinesSink(args.out));
});
