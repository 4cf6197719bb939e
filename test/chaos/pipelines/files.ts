import { type DataStream, FileSource, JsonLinesSink, type LocalEnvironment, ParquetSink, TextLinesSink, definePipeline } from '../../../ts/index.ts';
import type { FileFormat } from '../../e2e/pipelines/files.ts';

/** A file to copy into another; `out` is left away where only reading matters. */
export interface CopyArgs {
  readonly format: FileFormat;
  readonly from: string;
  readonly out?: string;
  /** Of the file that is written; that of the file that is read, when it is left away. */
  readonly outFormat?: FileFormat;
  readonly mkdir?: boolean;
}

/** Records that arrived where nothing is written, in the main thread. */
export const arrived: unknown[] = [];

/** Reads a file and writes another; the markers say on which line each is declared. */
export const copy = definePipeline(import.meta.url, (env: LocalEnvironment, { format, from, out, outFormat = format, mkdir = false }: CopyArgs) => {
  const source = format === 'textLines' ? FileSource.textLines(from) : format === 'jsonLines' ? FileSource.jsonLines(from) : FileSource.parquet(from);
  const records = env
    .fromSource<unknown>(source as FileSource<unknown>) // at source
    .named('the source')
    .map((record) => record) as DataStream<never>;
  const options = { mkdir };
  if (out === undefined) {
    records.sink(arrived as never[]);
  } else {
    const sink = outFormat === 'textLines' ? new TextLinesSink(out, options) : outFormat === 'jsonLines' ? new JsonLinesSink(out, options) : new ParquetSink(out, options);
    records.sink(sink).named('the sink'); // at sink
  }
});
