import { isMainThread } from 'node:worker_threads';

import { type LocalEnvironment, definePipeline } from '../../../ts/index.ts';

/** Builds something else in a worker: an operator more, other code, or another argument. */
export const mismatched = definePipeline(import.meta.url, (env: LocalEnvironment, how: 'operator' | 'code' | 'argument') => {
  const source = env.fromCollection([1, 2, 3]);
  const double = isMainThread || how !== 'code' ? (n: number): number => n * 2 : (n: number): number => n * 3;
  const more = isMainThread || how !== 'operator' ? source : source.filter(() => true).named('only in workers');
  class Add {
    readonly by: number;
    constructor(by: number) {
      this.by = by;
    }
    execute(n: number): number {
      return n + this.by;
    }
  }
  more.map(double).named('doubled').map(Add, isMainThread || how !== 'argument' ? 1 : 2).named('added').parallelism(2).sink([]);
});
