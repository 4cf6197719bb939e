// What types expressions have, and where they do not fit; checked by tsc, never run.
import { expectTypeOf } from 'vitest';
import type { DataStream, KeyedStream } from '../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';
import { avg, count, first, sum } from '../../ts/functions/builtin-aggregators.ts';
import { col, columns } from '../../ts/functions/expressions/col.ts';
import { cond } from '../../ts/functions/expressions/cond.ts';
import { lit } from '../../ts/functions/expressions/lit.ts';

interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly channel: 'web' | 'app';
  readonly at: Date;
  readonly note?: string;
  readonly discount: number | null;
  readonly seller?: { readonly id: string; readonly rank: number };
}

const env = new LocalEnvironment('types');
const bids = env.fromCollection<Bid>([]);
const open = env.fromCollection<unknown>([]);

// --- values
expectTypeOf(bids.select({ p: col('price'), eur: col('price').mul(0.9), n: col('note'), d: col('discount').add(1), r: col('seller.rank'), big: col('price').gt(5) })).toEqualTypeOf<
  DataStream<{ p: number; eur: number; n: string | null; d: number | null; r: number | null; big: boolean }>
>();
expectTypeOf(bids.select({ c: col('channel'), u: col('channel').upper(), day: col('at').truncate('day'), y: col('at').year() })).toEqualTypeOf<
  DataStream<{ c: 'web' | 'app'; u: string; day: Date; y: number }>
>();
expectTypeOf(bids.select({ size: cond(col('price').gt(100), 'large', null), k: lit(1), d: col('discount').coalesce(0), x: col('note').isNull() })).toEqualTypeOf<
  DataStream<{ size: string | null; k: number; d: number; x: boolean }>
>();
expectTypeOf(bids.select('auction', 'note')).toEqualTypeOf<DataStream<{ auction: number; note: string | null }>>();
expectTypeOf(bids.select({ total: col('price').mul(col('auction')), either: col('note').coalesce(col('channel')) })).toEqualTypeOf<DataStream<{ total: number; either: string }>>();
expectTypeOf(bids.withColumn('eur', col('price').mul(0.9)).map((bid) => bid.eur + bid.price)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.withColumn('note', col('price').toString()).map((bid) => bid.note.length)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.withColumn('source', 'file').map((bid) => bid.source)).toEqualTypeOf<DataStream<string>>();
expectTypeOf(bids.filter(col('price').gt(100))).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.keyBy(col('auction').mod(10))).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.keyBy(col('channel')).filter(col('price').gt(1))).toEqualTypeOf<KeyedStream<'web' | 'app', Bid>>();
expectTypeOf(bids.keyBy(col('channel')).select({ p: col('price') })).toEqualTypeOf<KeyedStream<'web' | 'app', { p: number }>>();
expectTypeOf(bids.keyBy('auction').aggregate({ n: count(), total: sum(col('price').mul(2)), mean: avg(col('discount')), note: first(col('note')) })).toEqualTypeOf<
  DataStream<{ key: number; n: number; total: number; mean: number | null; note: string | null }>
>();
expectTypeOf(open.select({ a: col('a'), b: col('b').mul(2) })).toEqualTypeOf<DataStream<{ a: unknown; b: number | null }>>();
expectTypeOf(open.filter(col('a').eq(1))).toEqualTypeOf<DataStream<unknown>>();
expectTypeOf(bids.filter((bid) => bid.price > 1)).toEqualTypeOf<DataStream<Bid>>();

// --- typed builders
const bid = columns<Bid>();
expectTypeOf(bids.select({ p: bid('price'), n: bid('note').upper() })).toEqualTypeOf<DataStream<{ p: number; n: string | null }>>();
bids.filter(col<Bid>('price').gt(5).and(col<Bid>('channel').eq('web')));
// @ts-expect-error no such field
bid('prise');
// @ts-expect-error no such field
col<Bid>('prise');
// @ts-expect-error a text
bid('channel').mul(2);

// --- fields that the records do not have, or of other types
// @ts-expect-error no such field
bids.filter(col('prise').gt(5));
// @ts-expect-error a text
bids.filter(col('channel').gt(5));
// @ts-expect-error a number
bids.select({ u: col('price').upper() });
// @ts-expect-error no such field
bids.select({ p: col('price'), x: col('nothing') });
// @ts-expect-error no such field
bids.select('nothing');
// @ts-expect-error no such field
bids.keyBy(col('nothing'));
// @ts-expect-error no such field
bids.withColumn('x', col('nothing').add(1));
// @ts-expect-error a text
bids.aggregate({ total: sum(col('channel')) });
// @ts-expect-error a text
bids.aggregate({ total: sum(col('channel').upper()) });
// @ts-expect-error a number is no condition
bids.filter(col('price').add(1));
// @ts-expect-error a number is no condition
bids.filter(col('price'));
// @ts-expect-error of another type
col('a').gt(1).mul(2);
// @ts-expect-error of another type
lit(1).eq('a');
// @ts-expect-error isNull is for that
col('a').eq(null);
// @ts-expect-error not one type
bids.filter(bid('price').in(['a']));
