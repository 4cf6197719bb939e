import type { DataStream, LocalEnvironment } from '../../../ts/index.ts';

/** A source that is asked for each record by itself, with so many turns of the event loop before it. */
export function oneByOne<T>(env: LocalEnvironment, records: readonly T[], turnsBefore: (record: T) => number = () => 0): DataStream<T> {
  return env.fromSource(async function* () {
    for (const record of records) {
      for (let turns = turnsBefore(record); turns > 0; turns--) await new Promise(setImmediate);
      yield record;
    }
  });
}
