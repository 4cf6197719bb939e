import { closeSync, openSync } from 'node:fs';

import { type LocalEnvironment, JsonLinesSink, MapFunction, definePipeline, isWorker } from '../../../ts/index.ts';
import { Lives } from '../support/lives.ts';
import { OddError } from '../support/odd-error.ts';

/** What a function does to its thread. */
export type Death = 'exits' | 'runs out of memory' | 'throws in a timer' | 'rejects unseen' | 'loops' | 'waits for memory' | 'hangs in a call' | 'none';
/** When it does that; in `build`, every worker does. */
export type Moment = 'build' | 'open' | 'execute' | 'close';

/** One case. */
export interface DyingArgs {
  readonly death: Death;
  readonly at: Moment;
  /** File of the sink. */
  readonly out: string;
  /** Of `Lives`. */
  readonly lives: SharedArrayBuffer;
  /** Endless when left away. */
  readonly records?: number;
}

/** Instances of the function; the last one dies. */
export const INSTANCES = 2;
/** So many records of its own has the dying instance then seen. */
const FATAL = 2000;

/** The named pipe that a call of the file system hangs in until somebody writes to it. */
export const pipeOf = (out: string): string => `${out}.pipe`;

/** Does it, in the calling thread. */
export function die(death: Death, out: string): void {
  switch (death) {
    case 'exits':
      process.exit(3);
      break;
    case 'runs out of memory':
      for (const hoard: unknown[] = []; ; ) hoard.push(Array.from({ length: 1000 }, (_, n) => ({ n })));
    case 'throws in a timer':
      setTimeout(() => {
        throw new OddError('from a timer');
      });
      break;
    case 'rejects unseen':
      void Promise.reject(new OddError('nobody looks'));
      break;
    case 'loops':
      for (;;);
    case 'waits for memory':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      break;
    case 'hangs in a call':
      closeSync(openSync(pipeOf(out), 'r'));
      break;
    case 'none':
      break;
  }
}

/** Passes its records on until the moment of its death. */
class Dying extends MapFunction<number, { n: number; by: number }> {
  readonly #death: Death;
  readonly #at: Moment;
  readonly #lives: Lives;
  readonly #out: string;
  #left = FATAL;

  constructor({ death, at, lives, out }: DyingArgs) {
    super();
    this.#out = out;
    this.#death = death;
    this.#at = at;
    this.#lives = new Lives(lives);
  }

  override open(): void {
    this.#lives.opened(this.ctx.parallelIndex);
    this.#reached('open');
  }

  execute(n: number): { n: number; by: number } {
    if (--this.#left === 0) this.#reached('execute');
    return { n, by: this.ctx.parallelIndex };
  }

  override close(): void {
    this.#lives.closed(this.ctx.parallelIndex);
    this.#reached('close');
  }

  #reached(moment: Moment): void {
    if (moment !== this.#at || this.ctx.parallelIndex !== INSTANCES - 1) return;
    this.#lives.beginDeath();
    die(this.#death, this.#out);
  }
}

/** Numbers through two threads, one of which dies, into a file. */
export const dying = definePipeline(import.meta.url, (env: LocalEnvironment, args: DyingArgs) => {
  if (args.at === 'build' && isWorker()) {
    new Lives(args.lives).beginDeath();
    die(args.death, args.out);
  }
  const { records = Number.POSITIVE_INFINITY } = args;
  env
    .fromSource(function* () {
      for (let n = 0; n < records; n++) yield n;
    })
    .map(Dying, args)
    .parallelism(INSTANCES)
    .named('the dying')
    .sink(new JsonLinesSink(args.out));
});
