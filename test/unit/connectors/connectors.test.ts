import { expect, test } from 'vitest';
import { CsvSink } from '../../../ts/connectors/csv-sink.ts';
import { FileSource } from '../../../ts/connectors/file-source.ts';
import { JsonLinesSink } from '../../../ts/connectors/json-lines-sink.ts';
import { JsonSink } from '../../../ts/connectors/json-sink.ts';
import { ParquetSink } from '../../../ts/connectors/parquet-sink.ts';
import { TextLinesSink } from '../../../ts/connectors/text-lines-sink.ts';

test('file sources describe themselves; nothing is opened', () => {
  expect(FileSource.jsonLines('no-such-file.jsonl').describe()).toEqual({
    form: 'native',
    spec: { type: 'jsonLines', path: 'no-such-file.jsonl' },
    bounded: true,
    splittable: true,
  });
  expect(FileSource.textLines('a.txt').describe().spec).toEqual({ type: 'textLines', path: 'a.txt' });
  expect(FileSource.parquet<{ id: number; price: number }>('a.parquet', { columns: ['id'] }).describe().spec).toEqual({
    type: 'parquet',
    path: 'a.parquet',
    columns: ['id'],
  });
});

test('file sinks describe themselves', () => {
  const specs = [new JsonLinesSink('a.jsonl'), new TextLinesSink('a.txt'), new ParquetSink('a-{part}.parquet')].map((sink) => sink.describe());
  expect(specs).toEqual([
    { form: 'native', spec: { type: 'jsonLines', path: 'a.jsonl' } },
    { form: 'native', spec: { type: 'textLines', path: 'a.txt' } },
    { form: 'native', spec: { type: 'parquet', path: 'a-{part}.parquet' } },
  ]);
});

test('options go to the core under their names; those left away do not', () => {
  expect(FileSource.parquet('a.parquet', { int64: 'string', binary: 'base64' }).describe().spec).toEqual({
    type: 'parquet',
    path: 'a.parquet',
    int64: 'string',
    binary: 'base64',
  });
  expect(FileSource.textLines('a.txt', { invalidUtf8: 'replace', maxLineBytes: 100 }).describe().spec).toMatchObject({ invalidUtf8: 'replace', maxLineBytes: 100 });
  expect(new ParquetSink('a.parquet', { schema: { note: 'str?' }, compression: 'snappy', rowGroupRows: 10, mkdir: true }).describe().spec).toEqual({
    type: 'parquet',
    path: 'a.parquet',
    schema: { note: 'str?' },
    compression: 'snappy',
    rowGroupRows: 10,
    mkdir: true,
  });
});

test('many files, a watched directory and the standard input', () => {
  expect(FileSource.textLines(['a.txt', new URL('file:///b/*.txt')], { compression: 'gzip' }).describe()).toMatchObject({
    bounded: true,
    splittable: true,
    spec: { path: ['a.txt', '/b/*.txt'], compression: 'gzip' },
  });
  expect(FileSource.parquet('in/', { watch: { everyMs: 50 } }).describe()).toMatchObject({ bounded: false, splittable: true, spec: { watch: { everyMs: 50 } } });
  expect(FileSource.jsonLines('in/', { watch: true }).describe().spec.watch).toEqual({ everyMs: 1000 });
  expect(FileSource.jsonLines('a', { watch: false }).describe()).toEqual(FileSource.jsonLines('a').describe());
  expect(FileSource.jsonLines('-').describe()).toMatchObject({ bounded: true, splittable: false });
});

test('CSV and JSON documents describe themselves; one instance reads a document', () => {
  expect(FileSource.csv<{ a: number; b: Date }>('a.csv', { delimiter: ';', header: ['a', 'b'], types: { b: 'date' }, nulls: ['', 'NA'], quote: false }).describe()).toEqual({
    form: 'native',
    spec: { type: 'csv', path: 'a.csv', delimiter: ';', header: ['a', 'b'], types: { b: 'date' }, nulls: ['', 'NA'], quote: false },
    bounded: true,
    splittable: true,
  });
  expect(FileSource.json('a.json', { at: 'result.rows' }).describe()).toEqual({ form: 'native', spec: { type: 'json', path: 'a.json', at: ['result', 'rows'] }, bounded: true, splittable: false });
  expect(FileSource.json('a.json', { at: '/a~1b/~0/0/' }).describe().spec['at']).toEqual(['a/b', '~', '0', '']);
  expect(new CsvSink('a.csv', { columns: ['b', 'a'], eol: '\r\n', quote: 'always' }).describe().spec).toEqual({ type: 'csv', path: 'a.csv', columns: ['b', 'a'], eol: '\r\n', quote: 'always' });
  expect(new JsonSink('a.json').describe().spec).toEqual({ type: 'json', path: 'a.json' });
  expect(FileSource.json('in/*.json', { compression: 'gzip' }).describe()).toMatchObject({ splittable: true, spec: { path: 'in/*.json', compression: 'gzip' } });
  expect(FileSource.csv('-').describe()).toMatchObject({ splittable: false });
  expect(FileSource.csv('in/', { watch: true }).describe()).toMatchObject({ bounded: false, spec: { watch: { everyMs: 1000 } } });
  expect(new CsvSink('a.csv.gz', { append: true }).describe().spec).toEqual({ type: 'csv', path: 'a.csv.gz', append: true, compression: 'gzip' });
});

test('a file: URL is a path', () => {
  expect(FileSource.textLines(new URL('file:///data/a%20b.txt')).describe().spec.path).toBe('/data/a b.txt');
});

test.each([
  ['an empty path', () => FileSource.jsonLines('')],
  ['a number', () => new JsonLinesSink(3 as never)],
  ['a path with half a character', () => FileSource.textLines('\ud800')],
  ['a column with half a character', () => FileSource.jsonLines('a', { columns: ['\ud800' as never] })],
  ['lines that may be longer than the core can hold', () => FileSource.textLines('a', { maxLineBytes: 2 ** 30 + 1 })],
  ['a type inside an object that does not exist', () => new ParquetSink('a', { schema: { place: { x: 'int64' as never } } })],
  ['another URL', () => FileSource.parquet(new URL('https://example.org/a.parquet'))],
  ['no columns', () => FileSource.jsonLines('a', { columns: [] })],
  ['a column twice', () => FileSource.jsonLines<{ a: 1 }>('a', { columns: ['a', 'a'] })],
  ['an option that does not exist', () => new JsonLinesSink('a', { compress: 'none' } as never)],
  ['an option with another value', () => FileSource.parquet('a', { int64: 'bigint' as never })],
  ['a line limit of 0', () => FileSource.textLines('a', { maxLineBytes: 0 })],
  ['a column type that does not exist', () => new ParquetSink('a', { schema: { id: 'number' as never } })],
  ['a delimiter of two characters', () => FileSource.csv('a', { delimiter: '||' })],
  ['a delimiter that numbers have', () => FileSource.csv('a', { delimiter: '.' })],
  ['a quote that is the delimiter', () => FileSource.csv('a', { delimiter: ';', quote: ';' })],
  ['a delimiter that is the quote', () => FileSource.csv('a', { delimiter: '"' })],
  ['an escape that is the delimiter', () => FileSource.csv('a', { escape: ',' })],
  ['a comment that is the quote', () => FileSource.csv('a', { comment: '"' })],
  ['a delimiter of a sink that is its quote', () => new CsvSink('a', { delimiter: '"' })],
  ['a null text with a delimiter', () => new CsvSink('a', { delimiter: ';', nullText: 'n;a' })],
  ['a column of a type that does not exist', () => FileSource.csv('a', { types: { id: 'int' as never } })],
  ['nulls that are no texts', () => FileSource.csv('a', { nulls: [null as never] })],
  ['a header of one name twice', () => FileSource.csv('a', { header: ['a', 'a'] })],
  ['a JSON pointer with a lone tilde', () => FileSource.json('a', { at: '/a~b' })],
  ['a path with an empty name', () => FileSource.json('a', { at: 'a..b' })],
  ['a line end that is none', () => new CsvSink('a', { eol: ';' as never })],
  ['a null text in quotes', () => new CsvSink('a', { nullText: '"' })],
  ['an append to a JSON array', () => new JsonSink('a', { append: true } as never)],
  ['the standard input among CSV files', () => FileSource.csv(['a', '-'])],
  ['the standard input of JSON, watched', () => FileSource.json('-', { watch: true })],
  ['options that are no object', () => new ParquetSink('a', 'zstd' as never)],
  ['no path at all', () => FileSource.textLines([])],
  ['a number among paths', () => FileSource.textLines(['a', 3 as never])],
  ['the standard input among paths', () => FileSource.textLines(['a', '-'])],
  ['the standard input for Parquet', () => FileSource.parquet('-')],
  ['the standard input, watched', () => FileSource.textLines('-', { watch: true })],
  ['an interval of 0', () => FileSource.textLines('a/', { watch: { everyMs: 0 } })],
  ['an interval under another name', () => FileSource.textLines('a/', { watch: { every: 5 } as never })],
  ['a compression that is not there', () => FileSource.textLines('a', { compression: 'lz4' as never })],
  ['a compression of Parquet', () => FileSource.parquet('a', { compression: 'gzip' } as never)],
  ['columns that are no array', () => FileSource.parquet('a', { columns: 'id' as never })],
])('%s is refused with the line of the call', (_what, call) => {
  expect(call).toThrow(
    expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', declaredAt: expect.objectContaining({ file: import.meta.filename }) }),
  );
});
