import { FileSource, type LocalEnvironment, MapFunction, SinkFunction, count, definePipeline, sum } from '../../../ts/index.ts';
import { Tally } from '../support/tally.ts';
import { Ticks } from '../support/ticks.ts';

/** What keeps the pipeline busy. */
export type Work =
  | 'a generator'
  | 'costly records'
  | 'records that are costly now and then'
  | 'a long flatMap'
  | 'a flatMap of a long array'
  | 'a flatMap of costly results'
  | 'an aggregate of a million keys'
  | 'a reduce of a million keys'
  | 'parallel functions'
  | 'a file'
  | 'hardly anything';

/** One case. */
export interface BusyArgs {
  readonly work: Work;
  /** Of `Ticks`: an interval of user code, in the isolate of the pipeline. */
  readonly ticks: SharedArrayBuffer;
  /** Of `Tally`, with one sink. */
  readonly tally: SharedArrayBuffer;
  /** How long the thread of the source works; endless when left away. */
  readonly forMs?: number;
  /** JSON lines with numbers `n`. */
  readonly file?: string;
}

const KEYS = 1_000_000;

/** Counts up without ever waiting, until its thread has worked for so long: on a busy machine that takes a while. */
function* counting(forMs = Number.POSITIVE_INFINITY): Generator<number> {
  const untilMs = workedMs() + forMs;
  for (let n = 0; n % 64 !== 0 || workedMs() < untilMs; n++) yield n;
}

function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function spend(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

/** Lets an interval run for as long as it lives. */
class Watching<T> extends MapFunction<T, T> {
  readonly #ticks: Ticks;

  constructor(buffer: SharedArrayBuffer) {
    super();
    this.#ticks = new Ticks(buffer);
  }

  override open(): void {
    if (this.ctx.parallelIndex === 0) this.#ticks.start();
  }

  override close(): void {
    if (this.ctx.parallelIndex === 0) this.#ticks.stop();
  }

  execute(record: T): T {
    return record;
  }
}

class Taking extends SinkFunction<unknown> {
  readonly #tally: Tally;

  constructor(buffer: SharedArrayBuffer) {
    super();
    this.#tally = new Tally(buffer);
  }

  execute(): void {
    this.#tally.takes(0);
  }
}

/** Pipelines that never wait for anything. */
export const busy = definePipeline(import.meta.url, (env: LocalEnvironment, { work, ticks, tally, forMs, file = '' }: BusyArgs) => {
  function* numbers(): Generator<number> {
    yield* counting(forMs);
  }
  const sink: { args: [SharedArrayBuffer] } = { args: [tally] };
  switch (work) {
    case 'a generator':
      env.fromSource(numbers).map((n) => n * 2).filter((n) => n % 3 !== 0).map(Watching<number>, ticks).sink(Taking, sink);
      break;
    case 'costly records':
      env
        .fromSource(numbers)
        .map((n) => {
          spend(3);
          return n;
        })
        .map(Watching<number>, ticks)
        .sink(Taking, sink);
      break;
    case 'records that are costly now and then':
      env
        .fromSource(numbers)
        .map((n) => {
          if (n % 50_000 < 2_000) spend(0.05);
          return n;
        })
        .map(Watching<number>, ticks)
        .sink(Taking, sink);
      break;
    case 'a long flatMap':
      env.fromCollection([0]).flatMap(numbers).map(Watching<number>, ticks).sink(Taking, sink);
      break;
    case 'a flatMap of a long array': {
      const many = Array.from({ length: 3_000_000 }, (_, n) => n);
      env.fromCollection([0, 1]).flatMap(() => many).map(Watching<number>, ticks).sink(Taking, sink);
      break;
    }
    case 'a flatMap of costly results':
      env
        .fromCollection([0, 1, 2])
        .flatMap((n) => Array.from({ length: 4_000 }, () => n))
        .map((n) => {
          spend(0.05);
          return n;
        })
        .map(Watching<number>, ticks)
        .sink(Taking, sink);
      break;
    case 'an aggregate of a million keys':
      env
        .fromSource(function* () {
          for (let n = 0; n < KEYS; n++) yield n;
        })
        .keyBy((n) => n)
        .aggregate({ n: count(), total: sum((n: number) => n) })
        .map(Watching<unknown>, ticks)
        .sink(Taking, sink);
      break;
    case 'a reduce of a million keys':
      env
        .fromSource(function* () {
          for (let n = 0; n < KEYS; n++) yield n;
        })
        .keyBy((n) => n)
        .reduce((a, b) => a + b)
        .map(Watching<number>, ticks)
        .sink(Taking, sink);
      break;
    case 'parallel functions':
      env.fromSource(numbers).map((n) => n + 1).parallelism(2).keyBy((n) => n % 1000).parallelism(2).map(Watching<number>, ticks).sink(Taking, sink);
      break;
    case 'a file':
      env
        .fromSource(FileSource.jsonLines<{ n: number }>(file))
        .map(({ n }) => {
          spend(0.005);
          return n;
        })
        .map(Watching<number>, ticks)
        .sink(Taking, sink);
      break;
    case 'hardly anything':
      env
        .fromSource(async function* () {
          for (const untilMs = performance.now() + forMs!; performance.now() < untilMs; ) {
            await new Promise((resolve) => setTimeout(resolve, 40));
            yield 0;
          }
        })
        .map(Watching<number>, ticks)
        .parallelism(2)
        .sink(Taking, sink);
      break;
  }
});
