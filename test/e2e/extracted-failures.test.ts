import { pino } from 'pino';
import { expect, test } from 'vitest';

import { type ErrorPolicy, LocalEnvironment, type SageError, count, sum } from '../../ts/index.ts';

interface Numbered {
  readonly key: number;
  readonly n: number;
}

const records: readonly Numbered[] = Array.from({ length: 5_000 }, (_, n) => ({ key: n % 7, n }));

const amount = ({ n }: Numbered): number => {
  if (n % 5 === 0) throw new RangeError(`no amount of ${n}`);
  return n;
};

const POLICIES: readonly ErrorPolicy[] = [
  'skip',
  // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
  { retry: 1, backoffMs: 0, then: 'skip' },
];

test.each(POLICIES)('records that an aggregate cannot read before its exchange are its own that were left out: %j', async (policy) => {
  // Given an aggregate whose inputs alone go through an exchange, and a selector that fails for every fifth record.
  const told: object[] = [];
  const env = new LocalEnvironment('extracted', { logger: pino({}, { write: (line: string) => told.push(JSON.parse(line) as object) }) });
  const totals: { key: number; records: number; total: number }[] = [];
  env
    .fromCollection(records)
    .keyBy('key')
    .parallelism(3)
    .aggregate({ records: count(), total: sum(amount) })
    .named('totals')
    .onError(policy)
    .sink(totals);
  expect(env.explain()).toContain("only the key and the inputs of 'totals' go through the exchange");

  // When it runs.
  const result = await env.submit({ autostop: true });

  // Then the others are counted and added, and the aggregate says how many it had and left out.
  const expected = [0, 1, 2, 3, 4, 5, 6].map((key) => {
    const own = records.filter((record) => record.key === key && record.n % 5 !== 0);
    return { key, records: own.length, total: own.reduce((all, { n }) => all + n, 0) };
  });
  expect(totals.toSorted((a, b) => a.key - b.key)).toEqual(expected);
  expect(result.operators.find(({ name }) => name === 'totals')).toMatchObject({ recordsIn: 5_000, recordsSkipped: 1_000, recordsOut: 7, deadLetters: 0 });
  expect(result.recordsSkipped).toBe(1_000);
  expect(told).toContainEqual(expect.objectContaining({ operator: 'totals' }));
});

test('without a policy the error names the aggregate, as the user knows it', async () => {
  const env = new LocalEnvironment('extracted');
  env
    .fromCollection(records)
    .keyBy('key')
    .parallelism(3)
    .aggregate({ total: sum(amount) })
    .named('totals')
    .sink(() => {});
  const { code, operator, declaredAt, message } = (await env.submit({ autostop: true }).catch((error: unknown) => error)) as SageError;
  expect({ code, operator, file: declaredAt?.file }).toEqual({ code: 'SAGE_USER_THREW', operator: 'totals', file: expect.stringContaining('extracted-failures.test.ts') });
  expect(message).toBe("operator 'totals' failed: RangeError: no amount of 0");
});
