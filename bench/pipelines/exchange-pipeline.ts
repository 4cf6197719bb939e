import { type LocalEnvironment, definePipeline } from 'sage-kernel';

import { type Mixed, type MixedReceiver, makeMixed } from './mixed-record.ts';

/** Who takes the records of the run at hand, in the main thread. */
export const receiving: { by: MixedReceiver | undefined } = { by: undefined };

/** The source in a worker (`isolated`), the sink in the main isolate: every record goes from thread to thread. */
export const exchange = definePipeline(import.meta.url, (env: LocalEnvironment, { records }: { records: number }) => {
  env.fromCollection(makeMixed(records)).sink((record: Mixed) => receiving.by!.take(record));
});
