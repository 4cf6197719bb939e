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

/** What a task has begun. It is worked from the top: results of an aggregate go below before more input is taken. */
export class WorkStack {
  readonly #items: WorkItem[] = [];

  get size(): number {
    return this.#items.length;
  }

  get top(): WorkItem | undefined {
    return this.#items.at(-1);
  }

  /** Whether rows that enter at this root are still to be worked on. */
  hasRoot(root: number): boolean {
    return this.#items.some((item) => item.root === root);
  }

  push(root: number, segment: Segment, source: unknown, rows: number, keys?: readonly unknown[], times?: readonly number[]): void {
    this.#items.push({ root, segment, source, keys, times, next: 0, end: rows });
  }

  /** Goes on with an item where it was left. */
  resume(item: WorkItem): void {
    this.#items.push(item);
  }

  remove(item: WorkItem): void {
    const at = this.#items.indexOf(item);
    if (at >= 0) this.#items.splice(at, 1);
  }

  clear(): void {
    this.#items.length = 0;
  }
}
