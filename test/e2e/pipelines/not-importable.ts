import { isMainThread } from 'node:worker_threads';

import { type LocalEnvironment, definePipeline } from '../../../ts/index.ts';

if (!isMainThread) throw new Error('this module wants the main thread');

export const notImportable = definePipeline(import.meta.url, (env: LocalEnvironment) => {
  env.fromCollection([1, 2, 3]).map((n) => n).parallelism(2).sink([]);
});
