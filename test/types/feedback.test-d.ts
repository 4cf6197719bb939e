// What may fill a future; checked by tsc, never run.
import { expectTypeOf } from 'vitest';
import type { DataStream, FutureStream, KeyedStream } from '../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';

const env = new LocalEnvironment('types');
const again = env.fromFuture<number | string>('again', { memoryBytes: 1, spillBytes: 2 });
expectTypeOf(again).toEqualTypeOf<FutureStream<number | string>>();
expectTypeOf(again.map(String)).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromCollection([true]).union(again)).toEqualTypeOf<DataStream<boolean | number | string>>();

// A stream of some of the future's types fills it, one of others does not.
expectTypeOf(env.fromCollection([1]).fillFuture(again)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromCollection(['a']).keyBy((text) => text).fillFuture(again)).toEqualTypeOf<KeyedStream<string, string>>();
// @ts-expect-error a boolean cannot come back
env.fromCollection([true]).fillFuture(again);
const numbers = env.fromFuture<number>('numbers');
// @ts-expect-error nor a string, if only numbers may
env.fromCollection<number | string>([1]).fillFuture(numbers);
// @ts-expect-error nothing comes back to any other stream
env.fromCollection([1]).fillFuture(env.fromCollection([1]));
// @ts-expect-error no such option
env.fromFuture<number>('again', { memory: 1 });
