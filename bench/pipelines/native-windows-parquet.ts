import type { BenchCase } from '../harness/bench-case.ts';
import { nativeWindowsCase } from './native-windows-case.ts';
import { readingsParquetPath, writeReadingsParquet } from './readings-file.ts';

/** Without Maps: no reader of Parquet in JavaScript is among the peers. */
export const benchCase: BenchCase = nativeWindowsCase({
  row: 'native-windows-parquet',
  title: 'Parquet',
  format: 'parquet',
  loops: [
    { name: 'loop in Rust, column by column', reader: 'parquet-columns' },
    { name: 'loop in Rust, by Arrow', reader: 'parquet-arrow', fullOnly: true },
  ],
  maps: false,
  path: readingsParquetPath,
  write: writeReadingsParquet,
  goals: [{ ours: 'sage', peers: ['loop in Rust, column by column', 'loop in Rust, by Arrow'], atMost: 2.5 }],
});
