import { type LocalEnvironment, definePipeline } from 'sage-kernel';

import type { SlowReceiver } from './slow-receiver.ts';

/** Who takes the records of the run at hand, in the main thread. */
export const receiving: { by: SlowReceiver | undefined } = { by: undefined };

/** Generates records as fast as it may, for a sink that is slow. */
export const slowSink = definePipeline(import.meta.url, (env: LocalEnvironment, { records }: { records: number }) => {
  env
    .fromBatch(function* generate() {
      for (let n = 0; n < records; n++) yield { id: n, text: `record ${n & 1023}` };
    })
    .map((record) => ({ ...record, twice: record.id * 2 }))
    .sink((record) => receiving.by!.take(record));
});
