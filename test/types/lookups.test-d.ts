// What types lookups have; checked by tsc, never run.
import { expectTypeOf } from 'vitest';
import type { DataStream } from '../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';
import { LookupFunction } from '../../ts/functions/lookup-function.ts';

const env = new LocalEnvironment('types');
const lookedUp = env.fromCollection([{ user: 1, item: 'pen' as string, deep: { at: 'x' as string | null } }]);
const lookupA = lookedUp.lookup(async (id) => { expectTypeOf(id).toEqualTypeOf<number>(); return { name: 'a' }; }, { key: 'user', concurrency: 1 }, (o, row) => `${o.item} ${row.name}`);
expectTypeOf(lookupA).toEqualTypeOf<DataStream<string>>();
const lookupB = lookedUp.lookup(async (at) => { expectTypeOf(at).toEqualTypeOf<string>(); return at === 'y' ? { name: 'a' } : undefined; }, { key: 'deep.at', concurrency: 1, type: 'left' }, (o, row) => [o.item, row?.name] as const);
expectTypeOf(lookupB).toEqualTypeOf<DataStream<readonly [string, string | undefined]>>();
lookedUp.lookup(async (ids) => { expectTypeOf(ids).toEqualTypeOf<readonly number[]>(); return ids.map((n) => ({ n })); }, { key: 'user', concurrency: 4, batch: { max: 2, waitMs: 1 } }, (o, row) => row.n + o.user);
lookedUp.lookup(async (id: number) => id, { key: (o) => o.user + 1, concurrency: 1 }, (o, row) => row + o.user);
// @ts-expect-error a field that there is not
lookedUp.lookup(async (id) => id, { key: 'usr', concurrency: 1 }, (o, row) => row);
// @ts-expect-error wrong type of key
lookedUp.lookup(async (id: string) => id, { key: 'user', concurrency: 1 }, (o, row) => row);
class UsersByUrl extends LookupFunction<number, { name: string }> {
  readonly url: string;
  constructor(url: string) { super(); this.url = url; }
  async lookup(id: number): Promise<{ name: string } | undefined> { return id === 1 ? { name: this.url } : undefined; }
}
expectTypeOf(lookedUp.lookup(UsersByUrl, { key: 'user', concurrency: 1, args: ['x'] }, (o, row) => row.name + o.item)).toEqualTypeOf<DataStream<string>>();
// @ts-expect-error no args
lookedUp.lookup(UsersByUrl, { key: 'user', concurrency: 1 }, (o, row) => row.name + o.item);
const keyedLookedUp = lookedUp.keyBy('item');
keyedLookedUp.lookup(async (item) => { expectTypeOf(item).toEqualTypeOf<string>(); return item.length; }, { concurrency: 1 }, (o, row) => row + o.user);
keyedLookedUp.lookup(async (user) => { expectTypeOf(user).toEqualTypeOf<number>(); return user; }, { key: 'user', concurrency: 1 }, (o, row) => row + o.user);
keyedLookedUp.lookup(async (items) => { expectTypeOf(items).toEqualTypeOf<readonly string[]>(); return items; }, { concurrency: 1, batch: { max: 1, waitMs: 1 } }, (o, row) => row + o.user);
keyedLookedUp.lookup(UsersByUrl, { key: 'user', concurrency: 1, args: ['x'] }, (o, row) => row.name + o.item).reduce((x, y) => x + y);
