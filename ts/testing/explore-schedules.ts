import { AsyncLocalStorage } from 'node:async_hooks';

import { SageError } from '../common/errors.ts';

const explored = new AsyncLocalStorage<number>();

/** The seed of environments that are given none: that of `exploreSchedules`, of `SAGE_TEST_SEED`, or 0. */
export function defaultSeed(): number {
  return explored.getStore() ?? replayedSeed() ?? 0;
}

function replayedSeed(): number | undefined {
  const text = process.env['SAGE_TEST_SEED'];
  if (text === undefined || text === '') return undefined;
  const seed = Number(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new SageError('SAGE_PLAN_ARGUMENT', `SAGE_TEST_SEED is '${text}'`, { help: 'Set it to the whole number that exploreSchedules has printed.' });
}

/**
 * Runs a test under many schedules: with the seeds 0, 1 and so on, which the environments that it makes take over. The first
 * failure ends it, and its message says the seed; with that in `SAGE_TEST_SEED` only that one runs.
 *
 * ```ts
 * import { exploreSchedules, TestEnvironment } from 'sage-kernel/testing';
 *
 * await exploreSchedules(20, async () => {
 *   await using env = new TestEnvironment();
 *   const letters = env.testSource<string>('letters');
 *   const found = env.collectSink<string>();
 *   env.fromSource(letters).keyBy((letter) => letter).parallelism(2).map((letter) => letter.toUpperCase()).sink(found);
 *   await env.start();
 *   for (const letter of ['a', 'b', 'a']) letters.push(letter);
 *   await env.settle();
 *   if (found.take().sort().join('') !== 'AAB') throw new Error('a letter is missing');
 * });
 * ```
 *
 * @param count how many schedules
 * @param body the test; it is given the seed, makes its environments and sources anew each time, and may be async
 * @throws Error of the body, whose message begins with the seed that replays it; SageError SAGE_PLAN_ARGUMENT for a count that is none
 */
export async function exploreSchedules(count: number, body: (seed: number) => unknown): Promise<void> {
  if (!Number.isInteger(count) || count < 1) {
    throw new SageError('SAGE_PLAN_ARGUMENT', `exploreSchedules was given ${String(count)} schedules`, { help: 'Give a whole number from 1: with none, nothing is tested.' });
  }
  const replayed = replayedSeed();
  const seeds = replayed === undefined ? Array.from({ length: count }, (_, seed) => seed) : [replayed];
  for (const seed of seeds) {
    try {
      await explored.run(seed, async () => body(seed));
    } catch (error) {
      throw withSeed(error, seed);
    }
  }
}

/** The error itself, so that a test runner shows what it knows of it. */
function withSeed(error: unknown, seed: number): unknown {
  const where = `under the schedule of seed ${seed} (SAGE_TEST_SEED=${seed} replays it)`;
  if (!(error instanceof Error) || Object.isFrozen(error)) return new Error(`failed ${where}`, { cause: error });
  const { message, stack } = error;
  const told = `${where}: ${message}`;
  Object.defineProperty(error, 'message', { value: told, configurable: true, writable: true, enumerable: false });
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack.replace(message, () => told), configurable: true, writable: true, enumerable: false });
  return error;
}
