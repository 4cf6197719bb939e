import { KeyedCoProcessFunction, type LocalEnvironment, definePipeline } from '../../../ts/index.ts';

/** A walker that has `left` rounds to go. */
export interface Lap {
  readonly id: number;
  readonly left: number;
}

export interface ConnectedLoopArgs {
  /** How many walkers there are; others come without end. */
  readonly walkers: number | 'endless';
  readonly rounds: number;
  readonly parallelism: number;
}

/** What has come out, in the main thread, and who wants to know. */
export const given: { readonly laps: Lap[]; onLap: (laps: number) => void } = { laps: [], onLap: () => undefined };

/** Walkers come in at the first input and around at the second; every third round of each waits for a timer. */
class Rounds extends KeyedCoProcessFunction<number, [Lap, Lap], Lap> {
  execute0(lap: Lap): void {
    this.ctx.state.value<number>('rounds').set(0);
    this.#go(lap);
  }
  execute1(lap: Lap): void {
    this.#go(lap);
  }
  override onTimer(): void {
    const parked = this.ctx.state.value<Lap>('parked');
    this.collect(parked.get()!);
    parked.clear();
  }
  #go(lap: Lap): void {
    const rounds = this.ctx.state.value<number>('rounds').update((n = 0) => n + 1);
    if (rounds % 3 !== 0) {
      this.collect(lap);
      return;
    }
    this.ctx.state.value<Lap>('parked').set(lap);
    this.ctx.timers.processingTime(Date.now() + 2);
  }
}

/** A loop through a co-process function with state and timers, in worker threads. */
export const connectedLoops = definePipeline(import.meta.url, (env: LocalEnvironment, { walkers, rounds, parallelism }: ConnectedLoopArgs) => {
  const again = env.fromFuture<Lap>('again').parallelism(parallelism);
  const source = env.fromSource(
    async function* () {
      const end = walkers === 'endless' ? Number.POSITIVE_INFINITY : walkers;
      for (let id = 0; id < end; id++) {
        yield { id, left: rounds };
        if (id % 50 === 49) await new Promise(setImmediate);
      }
    },
    { unbounded: walkers === 'endless' },
  );
  const walked = source.keyBy('id').connect(again.keyBy('id')).keyBy('id').parallelism(parallelism).process(Rounds);
  walked.filter(({ left }) => left > 0).map(({ id, left }) => ({ id, left: left - 1 })).parallelism(parallelism).fillFuture(again);
  walked.sink((lap) => {
    given.laps.push(lap);
    given.onLap(given.laps.length);
  });
});
