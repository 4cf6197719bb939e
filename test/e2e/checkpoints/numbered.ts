// A pipeline that counts numbers by key into files, and what comes of it without any interruption.
import { END, type EnvironmentConfig, type Job, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Seekable, SourceFunction, type ValueState } from '../../../ts/index.ts';
import type { Workplace } from './interrupted.ts';

export const RECORDS = 600;
export const KEYS = 7;

/** How often the key was there before. */
export class Numbered extends KeyedProcessFunction<number, number, { key: number; n: number; count: number }> {
  #count!: ValueState<number, number>;
  override open(): void {
    this.#count = this.ctx.state.value('count', { default: 0 });
  }
  execute(n: number): void {
    this.collect({ key: this.ctx.key, n, count: this.#count.update((count) => count + 1) });
  }
}

/** What comes of it without any interruption, worked out by hand. */
export const EXPECTED = Array.from({ length: RECORDS }, (_, n) => JSON.stringify({ key: n % KEYS, n, count: Math.floor(n / KEYS) + 1 })).toSorted();

/** Places, in records given, at which the source waits until it is let go on. */
export class Rests {
  readonly #places: ReadonlyMap<number, { readonly reached: PromiseWithResolvers<void>; readonly goOn: PromiseWithResolvers<void> }>;

  constructor(...places: readonly number[]) {
    this.#places = new Map(places.map((place) => [place, { reached: Promise.withResolvers<void>(), goOn: Promise.withResolvers<void>() }]));
  }

  reached(place: number): Promise<void> {
    return this.#places.get(place)!.reached.promise;
  }

  goOn(place: number): void {
    this.#places.get(place)!.goOn.resolve();
  }

  at(place: number): Promise<void> | undefined {
    const rest = this.#places.get(place);
    rest?.reached.resolve();
    return rest?.goOn.promise;
  }
}

export function numbersWith(rests: Rests): new () => SourceFunction<number> & Seekable<number> {
  return class Numbers extends SourceFunction<number> implements Seekable<number> {
    #next = 0;
    execute(): number | typeof END | Promise<number | typeof END> {
      const rest = rests.at(this.#next);
      return rest === undefined ? this.#give() : rest.then(() => this.#give());
    }
    #give(): number | typeof END {
      return this.#next === RECORDS ? END : this.#next++;
    }
    position(): number {
      return this.#next;
    }
    seek(next: number): void {
      this.#next = next;
    }
  };
}

export function environment(place: Workplace, checkpoints: string | undefined, rests: Rests, config: EnvironmentConfig = {}): LocalEnvironment {
  const env = new LocalEnvironment('numbered', { ...config, ...(checkpoints === undefined ? {} : { checkpoint: { dir: place.path(checkpoints) } }) });
  env.fromSource(numbersWith(rests)).uid('numbers').keyBy((n) => n % KEYS).process(Numbered).uid('numbered').sink(new JsonLinesSink(place.path('out-{part}.jsonl')), { uid: 'out' });
  return env;
}

export function written(place: Workplace): string[] {
  return place.names('out-').flatMap((name) => place.read(name, true).split('\n').filter((line) => line !== '')).toSorted();
}

/** A job with checkpoints that has given so many records, and waits. */
export async function running(place: Workplace, rests: Rests, at: number, config?: EnvironmentConfig): Promise<Job> {
  const job = await environment(place, 'checkpoints', rests, config).submit();
  await rests.reached(at);
  return job;
}
