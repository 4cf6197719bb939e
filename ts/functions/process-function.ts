import { CollectingFunction } from './collecting-function.ts';

/**
 * The most general function of one stream: emits with `collect`, as many records as it likes and when it likes: also when its
 * input has ended, in `finish`.
 *
 * ```ts
 * class Longest extends ProcessFunction<string, string> {
 *   #longest = '';
 *   execute(word: string) {
 *     if (word.length > this.#longest.length) this.#longest = word;
 *   }
 *   override finish() {
 *     this.collect(this.#longest);
 *   }
 * }
 * env.fromCollection(['a', 'stream', 'of', 'words']).process(Longest).print();
 * ```
 */
export abstract class ProcessFunction<In, Out> extends CollectingFunction<Out> {
  /** Works on one record; what it returns is awaited and otherwise ignored. */
  abstract execute(record: In): unknown;

  /**
   * Called once behind the last record of this instance, before `close`; may collect, and may be async. What it collects
   * has the key `undefined` on a keyed stream. Not called when the job was stopped without `drain`, was cancelled or has failed.
   */
  finish(): void | Promise<void> {}
}
