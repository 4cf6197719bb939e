/** All rows, in the order of the table. */
export const rows = [
  'integers',
  'objects',
  'flat-map',
  'fan-out',
  'classes',
  'operators-15',
  'keyed-final',
  'keyed-update',
  'windows',
  'map-async',
  'two-workers',
  'exchange',
  'json-lines',
  'json-lines-gzip',
  'csv',
  'flights',
  'native-parquet',
  'native-json-lines',
  'native-windows-json-lines',
  'native-windows-parquet',
  'empty-job',
  'import-time',
  'slow-sink',
] as const;

/** The name of a row. */
export type Row = (typeof rows)[number];
