import { keyOfIdentity } from '../stage/key-identity.ts';

/** Keys that are noted; when there are more everything is handed over. */
const MOST_KEYS = 2 ** 19;

/**
 * Which keys have come, changed or gone since an operator that keeps them by their identity has last handed over what it keeps: what an epoch has
 * to have that is on top of the one before. (`ChangedSlots` is for those that keep them by slots.) Notes nothing before everything was handed
 * over once, so that it costs nothing without checkpoints.
 */
export class ChangedKeys {
  /** By identity; none when everything has to be handed over next. */
  #keys: Set<unknown> | undefined;

  /** Whether it matters what is noted: for those who would have to find the key first. */
  get isNoting(): boolean {
    return this.#keys !== undefined;
  }

  /** What is kept for the key of an identity may be other than it was, or is no longer there. */
  add(identity: unknown): void {
    const keys = this.#keys;
    if (keys === undefined) return;
    keys.add(identity);
    if (keys.size > MOST_KEYS) this.stop();
  }

  /** Everything is handed over. */
  restart(): void {
    this.#keys = new Set();
  }

  /** Everything has to be handed over next. */
  stop(): void {
    this.#keys = undefined;
  }

  /** The identities that were noted, from then on no longer. Nothing when everything has to be handed over. @param kept how many keys there are */
  takeIdentities(kept: number): ReadonlySet<unknown> | undefined {
    const keys = this.#keys;
    if (keys === undefined || keys.size * 2 > kept) return undefined;
    this.#keys = new Set();
    return keys;
  }

  /**
   * What has changed, each key once. Nothing when all has to be handed over: for the first time, or as it is hardly more than what has changed.
   *
   * @param kept how many keys there are
   * @param valueOf what is kept for a key, if anything
   */
  take<V>(kept: number, valueOf: (identity: unknown) => V | undefined): Iterable<readonly [key: unknown, value: V | undefined]> | undefined {
    const keys = this.takeIdentities(kept);
    return keys && Array.from(keys, (identity) => [keyOfIdentity(identity), valueOf(identity)]);
  }
}
