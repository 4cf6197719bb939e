import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { LocalEnvironment, isSageError } from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { PushSource } from '../support/push-source.ts';
import { keyedSides, rightsOf, sides } from './joined-sides.ts';
import { type Event, type Pair, sortedPairs } from './naive-joins.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

const idOf = (event: Event | undefined): number | null => event?.id ?? null;

/** Times are made different, so that no order of arrival decides. */
const apart = (events: readonly Event[]): Event[] => events.map((event) => ({ ...event, at: event.at + event.id / 100 }));

/** The tests of joins with a table, for generated code and for the linked form. */
export function describeTableJoins(form: string): void {
  describe(form, () => {
    it('a join with a table gives each record with the row that its key had at its time, whatever way records come', () =>
      fc.assert(
        fc.asyncProperty(
          fc.record({ ...sides, ttlMs: fc.constantFrom(undefined, 1, 20, 200), type: fc.constantFrom('inner' as const, 'left' as const), deleting: fc.constantFrom('null', 'a function', 'nothing'), mod: fc.integer({ min: 2, max: 4 }) }),
          async (one) => {
            const { ttlMs, type, deleting, mod } = one;
            const given = { ...one, lefts: apart(one.lefts), rights: apart(one.rights) };
            const deletes = ({ id }: Event): boolean => deleting !== 'nothing' && id % mod === 1;
            const env = new LocalEnvironment('table-join');
            const [left, right] = keyedSides(env, given);
            const changes = deleting === 'null' ? right.map((event) => (deletes(event) ? null : event)) : right;
            const table = changes.asTable({ ...(deleting === 'a function' ? { deleted: deletes } : {}), ...(ttlMs === undefined ? {} : { ttlMs }) });
            const results: Pair[] = [];
            left.join(table, { type }, (event, row): Pair => [event.id, idOf(row)]).sink(results);
            const { operators } = await env.submit({ autostop: true });
            const rights = rightsOf(given);
            const rows = given.lefts.map((event) => {
              const [latest] = rights.filter(({ key, at }) => key === event.key && at <= event.at).toSorted((a, b) => b.at - a.at);
              return latest === undefined || deletes(latest) || latest.at < event.at - (ttlMs ?? Infinity) ? null : latest.id;
            });
            const expected = given.lefts.map(({ id }, n): Pair => [id, rows[n]!]).filter(([, row]) => row !== null || type === 'left');
            expect(sortedPairs(results)).toEqual(sortedPairs(expected));
            expect(operators.find(({ name }) => name === 'table-join')).toMatchObject({
              recordsIn: given.lefts.length + rights.length,
              recordsOut: expected.length,
              recordsLate: 0,
              recordsDropped: given.lefts.length - expected.length + rights.filter(({ id }) => !rows.includes(id)).length,
            });
          },
        ),
        { numRuns: shareOfRuns(0.5), endOnFailure: false },
      ));

    it('without event time a record is given at once, with the row at hand, which ends by the clock', async () => {
      const clock = new VirtualClock();
      const env = new LocalEnvironment('by-the-clock', { clock });
      const results: string[] = [];
      const users = new PushSource<{ id: number; name: string }>();
      const orders = new PushSource<{ user: number; item: string }>();
      const table = env.fromSource(users).keyBy('id').asTable({ ttlMs: 1000, deleted: ({ name }) => name === '' });
      env.fromSource(orders).keyBy('user').join(table, { type: 'left' }, ({ item }, user) => `${item} ${user?.name ?? 'of nobody'}`).sink((text) => void results.push(text));
      const job = await env.submit();
      let sent = 0;
      const taken = (): Promise<void> => expect.poll(() => job.metrics().operators.find(({ name }) => name === 'table-join')?.recordsIn, { interval: 1, timeout: 20_000 }).toBe(++sent);
      const user = async (name: string): Promise<void> => {
        await users.push({ id: 1, name });
        await taken();
      };
      const order = async (item: string): Promise<void> => {
        await orders.push({ user: 1, item });
        await taken();
      };
      await user('Ada');
      await order('item 1');
      await user('Bob');
      await order('item 3');
      clock.advance(1000);
      await order('item 4');
      await user('Cyd');
      await user('');
      await order('item 6');
      users.end();
      orders.end();
      const { operators } = await job.completion;
      // Cyd, the record that deletes, and nothing else.
      expect(operators.find(({ name }) => name === 'table-join')).toMatchObject({ recordsIn: 8, recordsOut: 4, recordsDropped: 2 });
      expect(results).toEqual(['item 1 Ada', 'item 3 Bob', 'item 4 of nobody', 'item 6 of nobody']);
    });

    it('a table that says by a promise or an error whether a row is deleted ends the job with the line of the user', async () => {
      for (const [deleted, code] of [
        [async () => true, 'SAGE_USER_WRONG_TYPE'],
        [() => { throw new Error('no'); }, 'SAGE_USER_THREW'],
      ] as const) {
        const env = new LocalEnvironment('wrong');
        const stream = env.fromCollection([{ id: 1 }]).keyBy('id');
        stream.join(stream.asTable({ deleted: deleted as never }), (a) => a).sink([]);
        const error = await env.submit({ autostop: true }).catch((thrown: unknown) => thrown);
        expect(isSageError(error)).toBe(true);
        expect(error).toMatchObject({ code, operator: 'table-join', declaredAt: { file: expect.stringMatching(/describe-table-joins\.ts$/) as string } });
      }
    });
  });
}
