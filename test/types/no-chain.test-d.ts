// What `long-chain.test-d.ts` imports, without its chain: the cost of the library's own types.
import { expectTypeOf } from 'vitest';
import type { DataStream } from '../../ts/datastream/streams.ts';
import { avg, count, max, sum } from '../../ts/functions/builtin-aggregators.ts';

declare const orders: DataStream<number>;

expectTypeOf(orders).toEqualTypeOf<DataStream<number>>();
expectTypeOf([avg, count, max, sum]).toBeArray();
