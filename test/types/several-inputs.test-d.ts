// What types joins and functions of several streams have; checked by tsc, never run.
import { expectTypeOf } from 'vitest';
import { FileSource } from '../../ts/connectors/file-source.ts';
import type { ConnectedStreams, DataStream, KeyedStream } from '../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';
import { BaseCoMapFunction } from '../../ts/functions/base-co-map-function.ts';
import { BaseJoinFunction } from '../../ts/functions/base-join-function.ts';
import { BroadcastProcessFunction } from '../../ts/functions/broadcast-process-function.ts';
import { KeyedBroadcastProcessFunction } from '../../ts/functions/keyed-broadcast-process-function.ts';
import { KeyedCoProcessFunction } from '../../ts/functions/keyed-co-process-function.ts';

interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly channel: string;
  readonly seller?: { readonly id: string; readonly rank: number | null };
}

const env = new LocalEnvironment('types');
const bids = env.fromSource(FileSource.jsonLines<Bid>('bids.jsonl'));
const sellers = env.fromCollection([{ id: 1, name: 'a' }]);
const both = bids.connect(sellers);
expectTypeOf(both).toEqualTypeOf<ConnectedStreams<[Bid, { id: number; name: string }], unknown>>();
class Named extends BaseCoMapFunction {
  map0(bid: Bid): number | undefined {
    return bid.price;
  }
  async map1({ name }: { readonly name: string }): Promise<string> {
    return Promise.resolve(name);
  }
}
expectTypeOf(both.comap(Named)).toEqualTypeOf<DataStream<number | string>>();
expectTypeOf(both.comap([(bid) => bid.price, ({ name }) => name])).toEqualTypeOf<DataStream<number | string>>();
// @ts-expect-error -- a function for each stream
both.comap([(bid) => bid.price]);
// One state for each key of several streams.
class SharedState extends KeyedCoProcessFunction<number | string, [Bid, { id: number; name: string }], { text: string }> {
  execute0(bid: Bid): void {
    expectTypeOf(this.ctx.key).toEqualTypeOf<number | string>();
    this.collect({ text: bid.channel });
  }
  execute1({ name }: { readonly name: string }): void {
    this.collect({ text: name });
  }
}
const keyedBoth = bids.keyBy((bid) => bid.auction).connect(sellers.keyBy((seller) => seller.id));
expectTypeOf(keyedBoth.process(SharedState)).toEqualTypeOf<KeyedStream<number, { text: string }>>();
expectTypeOf(keyedBoth.process(new SharedState())).toEqualTypeOf<KeyedStream<number, { text: string }>>();
// @ts-expect-error -- no key
bids.connect(sellers).process(SharedState);
// @ts-expect-error -- three streams
bids.keyBy((bid) => bid.auction).connect(sellers.keyBy((seller) => seller.id), sellers.keyBy((seller) => seller.id)).process(SharedState);
// @ts-expect-error -- the streams the other way round
sellers.keyBy((seller) => seller.id).connect(bids.keyBy((bid) => bid.auction)).process(SharedState);

// A broadcast side.
class Limits extends BroadcastProcessFunction<Bid, number, string> {
  executeBroadcast(limit: number): void {
    this.ctx.broadcast.value<number>('limit').set(limit);
  }
  execute(bid: Bid): void {
    expectTypeOf(this.ctx.broadcast.value('limit', { default: 0 }).get()).toEqualTypeOf<number>();
    this.collect(bid.channel);
  }
}
class KeyedLimits extends KeyedBroadcastProcessFunction<number, Bid, number, string> {
  executeBroadcast(): void {}
  execute(): void {
    expectTypeOf(this.ctx.key).toEqualTypeOf<number>();
  }
}
const limitStream = sellers.map((seller) => seller.id).broadcast();
expectTypeOf(bids.connect(limitStream).process(Limits)).toEqualTypeOf<DataStream<string>>();
expectTypeOf(bids.keyBy((bid) => bid.auction).connect(limitStream).process(KeyedLimits)).toEqualTypeOf<DataStream<string>>();
// @ts-expect-error -- no key
bids.connect(limitStream).process(KeyedLimits);
// @ts-expect-error -- the key is a text
bids.keyBy((bid) => bid.channel).connect(limitStream).process(KeyedLimits);
// @ts-expect-error -- other broadcast records
bids.connect(sellers.broadcast()).process(Limits);
// @ts-expect-error -- a broadcast is no stream by itself
sellers.broadcast().map((seller) => seller);

// @ts-expect-error -- a handler for each stream
bids.connect(sellers, sellers).comap(Named);
// @ts-expect-error -- the other way round
sellers.connect(bids).comap(Named);
expectTypeOf(both.keyBy(['auction', ({ id }) => id])).toEqualTypeOf<ConnectedStreams<[Bid, { id: number; name: string }], number>>();
// @ts-expect-error -- no such field
both.keyBy(['auction', 'auction']);
const pairs = both.keyBy(['auction', 'id']);
expectTypeOf(pairs.join({ within: '5s' }, (bid, seller) => [bid.price, seller.name] as const)).toEqualTypeOf<DataStream<readonly [number, string]>>();
expectTypeOf(pairs.join({ within: '5s', type: 'left' }, (bid, seller) => [bid.price, seller?.name] as const)).toEqualTypeOf<DataStream<readonly [number, string | undefined]>>();
// @ts-expect-error -- there may be no seller
pairs.join({ window: { timeWindow: 60 }, type: 'full' }, (_bid, seller) => seller.name);
class PriceOf extends BaseJoinFunction<Bid | { readonly name: string }, number, number> {
  execute(payload: Bid | { readonly name: string }, key: number, tag: number): void {
    this.collect(key + tag + ('price' in payload ? payload.price : 0));
  }
}
expectTypeOf(pairs.join(PriceOf)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.keyBy('auction').join(sellers.keyBy('id'), PriceOf)).toEqualTypeOf<DataStream<number>>();
const sellerTable = sellers.keyBy('id').map((seller) => (seller.name === '' ? null : seller)).asTable({ deleted: (seller) => seller.name === '-', ttlMs: 1000 });
expectTypeOf(bids.keyBy('auction').join(sellerTable, (bid, seller) => [bid.price, seller.name] as const)).toEqualTypeOf<DataStream<readonly [number, string]>>();
expectTypeOf(bids.keyBy('auction').join(sellerTable, { type: 'left', time: 'processing' }, (bid, seller) => [bid.price, seller?.name] as const)).toEqualTypeOf<DataStream<readonly [number, string | undefined]>>();
expectTypeOf(bids.keyBy('auction').intervalJoin(sellers.keyBy('id'), { after: '1s', type: 'full' }, (bid, seller) => bid?.price ?? seller!.id)).toEqualTypeOf<DataStream<number>>();
