// A job whose source rests behind each step until a checkpoint has been written; with state by key, of which a step changes little, or without.
import { END, type Job, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Seekable, SourceFunction } from '../../../ts/index.ts';

/** What the process is told. */
export interface SteppedArgs {
  readonly dir: string;
  readonly out: string;
  /** Whether it has state by key: a checkpoint then has what has changed since the one before. Without, each stands alone. */
  readonly isKeyed: boolean;
  /** Behind this checkpoint it rests for good, until something ends it. */
  readonly restsBehind?: number;
}

const KEYS = 400;
const STEPS = 12;
/** Records of each step behind the first, which has all keys. */
const TOUCHED = 10;
const { dir, out, isKeyed, restsBehind } = JSON.parse(process.argv[2]!) as SteppedArgs;
const LAST = KEYS + (STEPS - 1) * TOUCHED;
const submitted = Promise.withResolvers<Job>();

async function writeCheckpoint(): Promise<void> {
  const { epoch } = await (await submitted.promise).checkpoint();
  if (epoch === restsBehind) await new Promise(() => undefined);
}

class Steps extends SourceFunction<number> implements Seekable<number> {
  #next = 0;
  /** Where it has rested last, or goes on. */
  #rested = 0;

  execute(): number | typeof END | Promise<number | typeof END> {
    const isRest = this.#next >= KEYS && (this.#next - KEYS) % TOUCHED === 0;
    if (!isRest || this.#rested === this.#next) return this.#give();
    return writeCheckpoint().then(() => {
      this.#rested = this.#next;
      return this.#give();
    });
  }

  #give(): number | typeof END {
    return this.#next === LAST ? END : this.#next++ % KEYS;
  }

  position(): number {
    return this.#next;
  }

  seek(position: number): void {
    this.#next = position;
    this.#rested = position;
  }
}

/** How often each key was there. */
class Places extends KeyedProcessFunction<number, number, object> {
  execute(k: number): void {
    this.collect({ k, place: this.ctx.state.value<number>('place', { default: 0 }).update((before) => before + 1) });
  }
}

const env = new LocalEnvironment('steps', { checkpoint: { dir, retained: 1 } });
const keys = env.fromSource(Steps);
(isKeyed ? keys.keyBy((k) => k).process(Places) : keys.map((k) => ({ k }))).sink(new JsonLinesSink(out));
const job = await env.submit({ from: 'latest' });
console.log(`restored ${job.metrics().checkpoints?.restoredEpoch ?? 0}`);
submitted.resolve(job);
await job.completion;
