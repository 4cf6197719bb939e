// What types aggregates have; checked by tsc, never run.
import { expectTypeOf } from 'vitest';
import type { DataStream } from '../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';
import { aggregator } from '../../ts/functions/aggregator.ts';
import { avg, count, first, last, max, min, sum } from '../../ts/functions/builtin-aggregators.ts';
import { collectList, countDistinct, topN } from '../../ts/functions/collecting-aggregators.ts';

interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly discount?: number | null;
  readonly channel: string;
  readonly at: Date;
  readonly seller: { readonly id: string; readonly rank: number };
}

const bids = new LocalEnvironment('aggregates').fromCollection<Bid>([]);
const keyed = bids.keyBy('channel');

// Built-in aggregators take paths to numbers, nested and nullable ones too, or functions.
expectTypeOf(
  bids.aggregate({
    n: count(),
    total: sum('price'),
    reduced: sum('discount'),
    nested: sum('seller.rank'),
    computed: sum((bid) => bid.price * 2),
    mean: avg('price'),
    least: min((bid) => bid.price),
    most: max('price'),
  }),
).toEqualTypeOf<
  DataStream<{
    n: number;
    total: number;
    reduced: number;
    nested: number;
    computed: number;
    mean: number | null;
    least: number | null;
    most: number | null;
  }>
>();

// first and last take any field and know its type; null and undefined are never chosen.
expectTypeOf(
  bids.aggregate({ first: first('channel'), last: last((bid) => bid.at), reduced: last('discount') }),
).toEqualTypeOf<DataStream<{ first: string | null; last: Date | null; reduced: number | null }>>();

// On a keyed stream the key comes first.
expectTypeOf(keyed.aggregate({ n: count() }, { emit: 'update' })).toEqualTypeOf<DataStream<{ key: string; n: number }>>();
expectTypeOf(keyed.map((bid) => bid.seller).aggregate({ rank: avg('rank') })).toEqualTypeOf<
  DataStream<{ key: string; rank: number | null }>
>();

// Collecting aggregators.
expectTypeOf(
  keyed.aggregate({
    auctions: countDistinct('auction'),
    all: collectList(),
    ids: collectList('seller.id'),
    prices: collectList((bid) => bid.price),
    best: topN(3, 'price'),
    latest: topN(1, (bid) => bid.at),
  }),
).toEqualTypeOf<
  DataStream<{
    key: string;
    auctions: number;
    all: Bid[];
    ids: string[];
    prices: number[];
    best: Bid[];
    latest: Bid[];
  }>
>();

// Aggregators of a user: typed in place with aggregator(), or as an object whose accumulator is annotated.
expectTypeOf(
  bids.aggregate({
    longest: aggregator({ init: () => '', add: (a, bid) => (bid.channel.length > a.length ? bid.channel : a), result: (a) => a }),
    product: { init: () => 1, add: (a: number, bid) => a * bid.price, result: (a: number) => ({ product: a }) },
  }),
).toEqualTypeOf<DataStream<{ longest: string; product: { product: number } }>>();

// Only add may be asynchronous.
expectTypeOf(
  bids.aggregate({ total: aggregator({ init: () => 0, add: async (a, bid) => a + bid.price, result: (a) => a.toFixed() }) }),
).toEqualTypeOf<DataStream<{ total: string }>>();

// Made before they are used, with the record's type given or open.
const total = sum<Bid>('price');
const anyTotal = sum('price');
expectTypeOf(bids.aggregate({ total, anyTotal })).toEqualTypeOf<DataStream<{ total: number; anyTotal: number }>>();

// @ts-expect-error -- not a number
bids.aggregate({ total: sum('channel') });
// @ts-expect-error -- no such field
bids.aggregate({ total: avg('nothing') });
// @ts-expect-error -- not a number
bids.aggregate({ total: sum((bid) => bid.channel) });
// @ts-expect-error -- no such field
bids.aggregate({ names: collectList('nothing') });
// @ts-expect-error -- an aggregator of other records
bids.aggregate({ total: sum<{ readonly weight: number }>('weight') });
// @ts-expect-error -- not called
bids.aggregate({ n: count });
// @ts-expect-error -- no such word
bids.aggregate({ n: count() }, { emit: 'sometimes' });
