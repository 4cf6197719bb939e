import { FileSource, JsonLinesSink, type LocalEnvironment, type PipelineDefinition, col, count, definePipeline, tumbling } from 'sage-kernel';

import { DISORDER_MS, type Reading } from './readings.ts';
import { SIZE_MS } from './window-counts.ts';

/** Where the files are. */
export interface WindowsPaths {
  readonly format: 'jsonLines' | 'parquet';
  readonly path: string;
  readonly to: string;
}

/** Counts of each sensor in windows, from a file to a file, without any JavaScript. */
export const sensorCounts: PipelineDefinition<WindowsPaths> = definePipeline(import.meta.url, (env: LocalEnvironment, { format, path, to }: WindowsPaths) => {
  env
    .fromSource(format === 'parquet' ? FileSource.parquet<Reading>(path) : FileSource.jsonLines<Reading>(path))
    .assignTimestamps('at', { outOfOrdernessMs: DISORDER_MS })
    .keyBy(col('sensor'))
    .window(tumbling(SIZE_MS))
    .aggregate({ n: count() })
    .sink(new JsonLinesSink(to));
});
