import { describe, expect, test } from 'vitest';

import { ArrowSink } from '../../../ts/connectors/arrow-sink.ts';
import { FileSource } from '../../../ts/connectors/file-source.ts';
import { JsonLinesSink } from '../../../ts/connectors/json-lines-sink.ts';
import { ParquetSink } from '../../../ts/connectors/parquet-sink.ts';
import { TextLinesSink } from '../../../ts/connectors/text-lines-sink.ts';

const specOf = (sink: JsonLinesSink | TextLinesSink | ParquetSink | ArrowSink): object => sink.describe().spec;

describe('compression of lines', () => {
  test.each([
    ['a.jsonl', {}, undefined],
    ['a.jsonl.gz', {}, 'gzip'],
    ['a.jsonl.zst', {}, 'zstd'],
    ['a.gz/', {}, undefined],
    ['a.jsonl.gz', { compression: 'none' }, 'none'],
    ['out/', { compression: 'zstd' }, 'zstd'],
    ['-', { compression: 'gzip' }, 'gzip'],
  ] as const)('%s with %j', (path, options, compression) => {
    expect((specOf(new JsonLinesSink(path, options)) as { compression?: string }).compression).toBe(compression);
    expect((specOf(new TextLinesSink(path, options)) as { compression?: string }).compression).toBe(compression);
  });

  test('a level goes to the core with its method', () => {
    expect(specOf(new TextLinesSink('a.zst', { compressionLevel: 22 }))).toEqual({ type: 'textLines', path: 'a.zst', compression: 'zstd', compressionLevel: 22 });
  });
});

test('options of folders go to the core under their names', () => {
  const options = { partitionBy: ['a', 'b.c'], keepPartitionFields: true, maxOpenFiles: 5, maxFileBytes: 1e6, maxFileRows: 10, existing: 'replace' } as const;
  expect(specOf(new JsonLinesSink('out/', options))).toEqual({ type: 'jsonLines', path: 'out/', ...options });
  expect(specOf(new ParquetSink('out/', options))).toEqual({ type: 'parquet', path: 'out/', ...options });
  expect(specOf(new ArrowSink('out/', { ...options, format: 'stream' }))).toEqual({ type: 'arrow', path: 'out/', format: 'stream', ...options });
});

test('Arrow is read by batches, with the options of Parquet', () => {
  expect(FileSource.arrow<{ id: number }>('a.arrow', { columns: ['id'], int64: 'string' }).describe()).toEqual({
    form: 'native',
    spec: { type: 'arrow', path: 'a.arrow', columns: ['id'], int64: 'string' },
    bounded: true,
    splittable: true,
  });
});

describe('what cannot be is said before anything runs, with one fix', () => {
  test.each([
    ['a level without compression', () => new JsonLinesSink('a.jsonl', { compressionLevel: 3 }), 'Give compression'],
    ['a level that gzip does not have', () => new JsonLinesSink('a.gz', { compressionLevel: 10 }), '0 to 9 for gzip'],
    ['a level that zstd does not have', () => new TextLinesSink('a.zst', { compressionLevel: 0 }), '1 to 22 for zstd'],
    ['another method', () => new JsonLinesSink('a', { compression: 'brotli' as never }), "'none', 'gzip', 'zstd'"],
    ['partitions of a file', () => new JsonLinesSink('out.jsonl', { partitionBy: ['a'] }), "new JsonLinesSink('out/', ...)"],
    ['partitions with {part}', () => new JsonLinesSink('out-{part}.jsonl', { partitionBy: ['a'] }), "path that ends in '/'"],
    ['limits of a file', () => new TextLinesSink('out.txt', { maxFileRows: 3 }), "new TextLinesSink('out/', ...)"],
    ['no field', () => new JsonLinesSink('out/', { partitionBy: [] }), 'different field names'],
    ['a field twice', () => new JsonLinesSink('out/', { partitionBy: ['a', 'a'] }), 'different field names'],
    ['partitions of texts', () => new TextLinesSink('out/', { partitionBy: ['a'] } as never), 'no option partitionBy'],
    ['fields that stay where none go', () => new JsonLinesSink('out/', { keepPartitionFields: true }), 'Give partitionBy'],
    ['open files without partitions', () => new ParquetSink('out/', { maxOpenFiles: 3 }), 'Give partitionBy'],
    ['nothing open', () => new JsonLinesSink('out/', { partitionBy: ['a'], maxOpenFiles: 0 }), 'a whole number from 1'],
    ['append and new files', () => new JsonLinesSink('out/', { append: true, existing: 'add' }), "existing: 'add'"],
    ['append to Parquet', () => new ParquetSink('a.parquet', { append: true } as never), "existing: 'add'"],
    ['append to Arrow', () => new ArrowSink('a.arrow', { append: true } as never), "existing: 'add'"],
    ['append to standard output', () => new JsonLinesSink('-', { append: true }), 'Leave append away'],
    ['Parquet to standard output', () => new ParquetSink('-'), "new JsonLinesSink('-')"],
    ['partitions of standard output', () => new JsonLinesSink('-', { partitionBy: ['a'] }), "new JsonLinesSink('out/', ...)"],
  ])('%s', (_, make, fix) => {
    expect(make).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining(fix) as string }));
    expect(make).toThrow(expect.objectContaining({ message: expect.stringContaining('outputs.test.ts') as string }));
  });
});
