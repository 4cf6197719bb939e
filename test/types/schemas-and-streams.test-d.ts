// What schemas and streams make of the types; checked by tsc, never run.
import { Readable, Writable } from 'node:stream';
import { type } from 'arktype';
import { fetch as undiciFetch } from 'undici';
import * as v from 'valibot';
import { expectTypeOf } from 'vitest';
import * as z from 'zod';

import { type CollectedRecords, type DataStream, FileSource, type KeyedStream, LocalEnvironment, type StandardSchema, StreamSource } from '../../ts/index.ts';

const env = new LocalEnvironment('types');
interface Order {
  readonly id: number;
  readonly price: number;
}

// --- schemas: their output is the record
const ofZod = z.object({ id: z.number(), price: z.string().transform(Number) });
const ofValibot = v.object({ id: v.number(), price: v.pipe(v.string(), v.transform(Number)) });
const ofArktype = type({ id: 'number', price: 'string.numeric.parse' });
expectTypeOf(env.fromCollection<unknown>([]).validate(ofZod)).toEqualTypeOf<DataStream<{ id: number; price: number }>>();
expectTypeOf(env.fromCollection<unknown>([]).validate(ofValibot)).toEqualTypeOf<DataStream<{ id: number; price: number }>>();
expectTypeOf(env.fromCollection<unknown>([]).validate(ofArktype)).toEqualTypeOf<DataStream<{ id: number; price: number }>>();
expectTypeOf(env.fromCollection([{ key: 'a' }]).keyBy('key').validate(ofZod)).toEqualTypeOf<KeyedStream<string, { id: number; price: number }>>();
expectTypeOf(env.fromCollection([1]).validate(z.number().optional())).toEqualTypeOf<DataStream<number>>();
expectTypeOf(FileSource.jsonLines('x', { schema: ofZod })).toEqualTypeOf<FileSource<{ id: number; price: number }>>();
expectTypeOf(FileSource.jsonLines('x', { schema: ofZod, columns: ['id'] })).toEqualTypeOf<FileSource<{ id: number; price: number }>>();
expectTypeOf(FileSource.parquet('x', { schema: ofValibot })).toEqualTypeOf<FileSource<{ id: number; price: number }>>();
expectTypeOf(FileSource.textLines('x', { schema: z.coerce.number() })).toEqualTypeOf<FileSource<number>>();
expectTypeOf(FileSource.jsonLines<Order>('x', { columns: ['id'] })).toEqualTypeOf<FileSource<Order>>();
expectTypeOf(StreamSource.jsonLines([], { schema: ofArktype })).toEqualTypeOf<StreamSource<{ id: number; price: number }>>();
expectTypeOf(env.fromSource(FileSource.jsonLines('x', { schema: ofZod }))).toEqualTypeOf<DataStream<{ id: number; price: number }>>();
expectTypeOf(env.fromSource([1], { schema: z.number() })).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromBatch(new Set(['1']), { schema: z.coerce.number(), unbounded: true })).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromStream(() => '1', { schema: z.coerce.number() })).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromCollection([1], { schema: z.number() })).toEqualTypeOf<DataStream<number>>();
// A schema that somebody wrote without a library.
const own: StandardSchema<string, Date> = { '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value: new Date(value as string) }) } };
expectTypeOf(env.fromCollection(['2024-03-01']).validate(own)).toEqualTypeOf<DataStream<Date>>();
// @ts-expect-error -- no schema
env.fromCollection([1]).validate({ parse: () => 1 });
// @ts-expect-error -- no field of what the schema takes
FileSource.jsonLines('x', { schema: ofZod, columns: ['other'] });

// --- streams in
expectTypeOf(env.fromSource(new ReadableStream<string>())).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromStream(new ReadableStream<string>(), { unbounded: true })).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromSource<Order>(Readable.from([]))).toEqualTypeOf<DataStream<Order>>();
expectTypeOf(env.fromSource(StreamSource.textLines(Readable.from([])))).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromSource(StreamSource.jsonLines<Order>((await fetch('x')).body!))).toEqualTypeOf<DataStream<Order>>();
StreamSource.jsonLines((await undiciFetch('x')).body!);
StreamSource.jsonLines(new Blob([]).stream());
// @ts-expect-error -- numbers are no bytes
StreamSource.jsonLines([1, 2]);

// --- streams out
const lines = env.fromCollection(['a']);
lines.sink(process.stdout).sink(new Writable(), { end: false, name: 'out' });
lines.sink(new WritableStream<string>(), { end: false });
env.fromCollection([new Uint8Array(1)]).sink(new CompressionStream('gzip').writable);
expectTypeOf(lines.keyBy((line) => line).sink(process.stdout)).toEqualTypeOf<KeyedStream<string, string>>();
// @ts-expect-error -- the stream takes numbers
lines.sink(new WritableStream<number>());
// @ts-expect-error -- an array has no end
lines.sink([], { end: false });

// --- collect()
const collected = lines.collect({ signal: AbortSignal.timeout(1) });
expectTypeOf(collected).toEqualTypeOf<CollectedRecords<string>>();
expectTypeOf(collected.toReadableStream()).toExtend<ReadableStream<string>>();
expectTypeOf(collected.toReadable({ objectMode: false })).toExtend<Readable>();
expectTypeOf(new Response(collected.toReadableStream().pipeThrough(new TextEncoderStream()))).toExtend<Response>();
await fetch('x', { method: 'POST', body: collected.toReadableStream().pipeThrough(new CompressionStream('gzip') as never), duplex: 'half' });
