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
  'map-async',
  'two-workers',
  'exchange',
  'json-lines',
  'json-lines-gzip',
  'csv',
  'flights',
  'native-parquet',
  'native-json-lines',
  'empty-job',
  'import-time',
  'slow-sink',
] as const;

/** The name of a row. */
export type Row = (typeof rows)[number];
