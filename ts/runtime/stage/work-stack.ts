import type { Segment } from './segment.ts';

/** Rows that go through one segment: a batch, results of an aggregate, or a source. */
export interface WorkItem {
  readonly root: number;
  readonly segment: Segment;
  readonly source: unknown;
  readonly keys: readonly unknown[] | undefined;
  /** Their event times, where they have any that are not in the source. */
  readonly times: readonly number[] | undefined;
  next: number;
  readonly end: number;
}

/**
 * What a task has begun. It is worked from the top, where what is furthest down the pipeline is: results go below before anything comes
 * from above them, which might otherwise overtake them in an operator that gives its results within a row. Of one root, older rows come first.
 */
export class WorkStack {
  readonly #items: WorkItem[] = [];
  /** Below all others, wherever it is in the pipeline: the core is asked for its turn, which ends when nothing else is left. */
  #source: WorkItem | undefined;

  get size(): number {
    return this.#items.length + (this.#source === undefined ? 0 : 1);
  }

  get top(): WorkItem | undefined {
    return this.#items.at(-1) ?? this.#source;
  }

  /** Whether rows that enter at this root are still to be worked on. */
  hasRoot(root: number): boolean {
    return this.#items.some((item) => item.root === root);
  }

  push(root: number, segment: Segment, source: unknown, rows: number, keys?: readonly unknown[], times?: readonly number[]): void {
    let at = this.#items.length;
    while (at > 0 && this.#items[at - 1]!.root >= root) at--;
    this.#items.splice(at, 0, { root, segment, source, keys, times, next: 0, end: rows });
  }

  /** Goes on with a source where it was left; there is none. */
  resumeSource(item: WorkItem): void {
    this.#source = item;
  }

  remove(item: WorkItem): void {
    if (item === this.#source) this.#source = undefined;
    const at = this.#items.indexOf(item);
    if (at >= 0) this.#items.splice(at, 1);
  }

  clear(): void {
    this.#items.length = 0;
    this.#source = undefined;
  }
}
