import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { END, type EnvironmentConfig, type JobResult, LocalEnvironment, type Seekable, SourceFunction, type StateSettings } from '../../../ts/index.ts';
import { SeededRandom } from '../../../ts/testing/seeded-random.ts';
import type { Workplace } from './interrupted.ts';

/** A directory of a test, for a part of each instance. */
export function directory(place: Workplace, name: string): string {
  mkdirSync(place.path(name));
  return `${place.path(name)}/`;
}

/** The lines of all parts in a directory, sorted. */
export function linesOfParts(place: Workplace, name: string): string[] {
  const texts = readdirSync(place.path(name)).map((file) => readFileSync(join(place.path(name), file), 'utf8'));
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).toSorted();
}

/** Records before a rest whose calls come back only behind it. */
const HELD_CALLS = 4;

/** Where one source rests in an attempt, in records given. */
interface Rests {
  /** The checkpoint is here. */
  readonly checkpoint: number;
  /** The attempt ends here. */
  readonly end: number;
}

type ClassOfSource<T> = new () => SourceFunction<T> & Seekable<number>;

/** The sources of one attempt: each rests at a record until the checkpoint has been written, goes on, and rests again until the attempt ends. */
export class StagedSources {
  readonly #rests: readonly Rests[] | undefined;
  readonly #lengths: number[] = [];
  readonly #atRest: PromiseWithResolvers<void>[] = [];
  readonly #atEnd: PromiseWithResolvers<void>[] = [];
  readonly #written = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<never>();
  #calls = 0;

  /** Without rests, all goes through. */
  constructor(rests?: readonly Rests[]) {
    this.#rests = rests;
    this.#over.promise.catch(() => undefined);
  }

  /** A source of these records, in one instance; the rests of the first source that is made are the first ones, and so on. */
  of<T>(records: readonly T[]): ClassOfSource<T> {
    const source = this.#lengths.push(records.length) - 1;
    const [atRest, atEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#atRest.push(atRest);
    this.#atEnd.push(atEnd);
    const restAt = (next: number): Promise<unknown> | undefined => this.#restAt(source, next);
    return class Staged extends SourceFunction<T> implements Seekable<number> {
      #next = 0;
      execute(): T | typeof END | Promise<T | typeof END> {
        const rest = restAt(this.#next);
        if (rest !== undefined) return rest.then(() => this.#give());
        return this.#give();
      }
      #give(): T | typeof END {
        if (this.#next < records.length) return records[this.#next++]!;
        // Its end counts as both.
        atRest.resolve();
        atEnd.resolve();
        return END;
      }
      position(): number {
        return this.#next;
      }
      seek(position: number): void {
        this.#next = position;
      }
    };
  }

  /** What a call to a service waits for: the last ones before the rest are still on their way when the barrier comes. */
  call(n: number): Promise<void> | undefined {
    const { checkpoint } = this.#rests?.[0] ?? { checkpoint: 0 };
    if (n >= checkpoint || n < checkpoint - HELD_CALLS) return undefined;
    this.#calls++;
    return this.#written.promise;
  }

  /** Calls that were on their way when the barrier came. */
  get calls(): number {
    return this.#calls;
  }

  #restAt(source: number, next: number): Promise<unknown> | undefined {
    const rests = this.#rests?.[source];
    if (next === rests?.checkpoint) {
      this.#atRest[source]!.resolve();
      return this.#written.promise.then(() => (next === rests.end ? this.#restAtEnd(source) : undefined));
    }
    return next === rests?.end ? this.#restAtEnd(source) : undefined;
  }

  #restAtEnd(source: number): Promise<never> {
    this.#atEnd[source]!.resolve();
    return this.#over.promise;
  }

  async untilRest(): Promise<void> {
    await Promise.all(this.#atRest.map(({ promise }, source) => (this.#hasEnded(source) ? undefined : promise)));
  }

  async untilEnd(): Promise<void> {
    this.#written.resolve();
    await Promise.all(this.#atEnd.map(({ promise }, source) => (this.#hasEnded(source) ? undefined : promise)));
  }

  /** It had given its last record in an attempt before. */
  #hasEnded(source: number): boolean {
    return this.#rests![source]!.checkpoint > this.#lengths[source]! + 1;
  }

  /** Lets all sources fail. */
  fail(): void {
    this.#over.reject(new Error('it was to fail here'));
  }

  /** How many records each source has. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }
}

/** Builds a pipeline whose sources are `sources`, and that writes to `out`. */
export type StagedBuild = (env: LocalEnvironment, sources: StagedSources, out: string) => void;

/** Runs it from its beginning to its end, without checkpoints, in one instance. */
export async function undisturbedStages(build: StagedBuild, out: string): Promise<void> {
  const env = new LocalEnvironment('whole', {});
  build(env, new StagedSources(), out);
  await env.submit({ autostop: true });
}

export interface Staged {
  readonly dir: string;
  readonly out: string;
  readonly seed: number;
  /** Of each attempt; the last one comes to its end. */
  readonly parallelism: readonly number[];
  /** Where each attempt keeps its state; in memory when left away. */
  readonly state?: readonly StateSettings[];
}

/**
 * Runs it in attempts, each from the checkpoint of the one before. In each, one is written while all sources rest somewhere; then more records come, of
 * which nothing may stay, and the attempt is cancelled or fails. Returns the result of the last one, and how many calls were on their way at a barrier.
 */
export async function inStages(build: StagedBuild, { dir, out, seed, parallelism, state }: Staged): Promise<{ readonly result: JobResult; readonly calls: number }> {
  const random = new SeededRandom(seed);
  const lengths = lengthsOf(build);
  const given = lengths.map(() => 0);
  let calls = 0;
  for (const [attempt, instances] of parallelism.slice(0, -1).entries()) {
    const rests = lengths.map((length, source) => {
      const share = Math.ceil((length * 1.2) / parallelism.length);
      const checkpoint = given[source]! + 1 + random.below(share);
      return { checkpoint, end: checkpoint + random.below(share) };
    });
    const sources = new StagedSources(rests);
    const env = environmentOf(dir, instances, state?.[attempt]);
    build(env, sources, out);
    const job = await env.submit({ from: 'latest' });
    const failure = job.completion.then(() => undefined, (error: unknown) => Promise.reject(error as Error));
    failure.catch(() => undefined);
    const ends = new Promise<never>((_, reject) => void failure.catch(reject));
    await Promise.race([sources.untilRest(), ends]);
    const { epoch } = await job.checkpoint();
    if (job.metrics().checkpoints?.restoredEpoch !== (attempt === 0 ? undefined : epoch - 1)) throw new Error(`attempt ${attempt} has not gone on from epoch ${epoch - 1}`);
    rests.forEach(({ checkpoint }, source) => (given[source] = checkpoint));
    await Promise.race([sources.untilEnd(), ends]);
    calls += sources.calls;
    if (random.below(2) === 0) sources.fail();
    else await job.cancel();
    await failure.catch(() => undefined);
  }
  const env = environmentOf(dir, parallelism.at(-1)!, state?.[parallelism.length - 1]);
  build(env, new StagedSources(), out);
  return { result: await env.submit({ from: 'latest', autostop: true }), calls };
}

function lengthsOf(build: StagedBuild): readonly number[] {
  const sources = new StagedSources();
  build(new LocalEnvironment('lengths', {}), sources, '-');
  return sources.lengths;
}

function environmentOf(dir: string, parallelism: number, state: StateSettings = 'memory'): LocalEnvironment {
  const config: EnvironmentConfig = { parallelism, checkpoint: { dir }, state };
  return new LocalEnvironment('staged', config);
}
