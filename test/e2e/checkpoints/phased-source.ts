import { END, type Seekable, SourceFunction } from '../../../ts/index.ts';

/** A source of one instance that gives records in phases: behind each it rests until the test goes on. */
export class Phases<T> {
  readonly #phases: readonly (readonly T[])[];
  readonly #reached: readonly PromiseWithResolvers<void>[];
  readonly #next: readonly PromiseWithResolvers<void>[];

  constructor(phases: readonly (readonly T[])[]) {
    this.#phases = phases;
    this.#reached = phases.map(() => Promise.withResolvers());
    this.#next = phases.map(() => Promise.withResolvers());
  }

  /** It begins with the first phase, also where a job goes on from a checkpoint. */
  get source(): new () => SourceFunction<T> & Seekable<number> {
    const [phases, reached, nextPhase] = [this.#phases, this.#reached, this.#next];
    return class extends SourceFunction<T> implements Seekable<number> {
      #phase = 0;
      #given = 0;
      execute(): T | typeof END | Promise<T | typeof END> {
        const records = phases[this.#phase];
        if (records === undefined) return END;
        if (this.#given < records.length) return records[this.#given++]!;
        reached[this.#phase]!.resolve();
        return nextPhase[this.#phase]!.promise.then(() => {
          this.#phase++;
          this.#given = 0;
          return this.execute();
        });
      }
      position(): number {
        return 0;
      }
      seek(): void {}
    };
  }

  /** All records of a phase have been given. */
  async until(phase: number): Promise<void> {
    await this.#reached[phase]!.promise;
  }

  /** Lets the next phase begin, or the source end. */
  goOn(phase: number): void {
    this.#next[phase]!.resolve();
  }
}
