import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';

const makeIntegers = (count: number): readonly number[] => {
  const integers = new Array<number>(count);
  for (let n = 0; n < count; n++) integers[n] = n & 0xfffff;
  return integers;
};

async function startSage({ records, engine }: VariantContext): Promise<Run> {
  const { LocalEnvironment } = await engine();
  const integers = makeIntegers(records);
  return async () => {
    const sums: number[] = [];
    const env = new LocalEnvironment('integers');
    env
      .fromCollection(integers)
      .map((n) => n * 3 + 1)
      .filter((n) => (n & 1) === 0)
      .reduce((a, b) => a + b)
      .sink(sums);
    await env.submit({ autostop: true });
    return { checksum: sums[0]! };
  };
}

export const benchCase: BenchCase = {
  row: 'integers',
  title: 'integers from an array, map -> filter -> sum, parallelism 1',
  records: 20_000_000,
  quickRecords: 5_000_000,
  per: 'record',
  variants: [
    {
      name: 'hand-written loop',
      async start({ records }) {
        const integers = makeIntegers(records);
        return () => {
          let sum = 0;
          for (let i = 0; i < integers.length; i++) {
            const value = integers[i]! * 3 + 1;
            if ((value & 1) === 0) sum += value;
          }
          return { checksum: sum };
        };
      },
    },
    { name: 'sage', ours: true, start: startSage },
    { name: 'sage with error policies', ours: true, tolerant: true, start: startSage },
    {
      name: 'sage, aggregate',
      ours: true,
      async start({ records, engine }) {
        const { LocalEnvironment, sum } = await engine();
        const integers = makeIntegers(records);
        return async () => {
          const sums: { total: number }[] = [];
          const env = new LocalEnvironment('integers');
          env
            .fromCollection(integers)
            .map((n) => n * 3 + 1)
            .filter((n) => (n & 1) === 0)
            .aggregate({ total: sum((n: number) => n) })
            .sink(sums);
          await env.submit({ autostop: true });
          return { checksum: sums[0]!.total };
        };
      },
    },
    {
      name: 'sage after ten others',
      ours: true,
      polluted: true,
      async start({ records, engine }) {
        const { LocalEnvironment } = await engine();
        const integers = makeIntegers(records);
        return async () => {
          const sums: number[] = [];
          const env = new LocalEnvironment('integers');
          env
            .fromCollection(integers)
            .map((n) => n * 3 + 1)
            .filter((n) => (n & 1) === 0)
            .reduce((a, b) => a + b)
            .sink(sums);
          await env.submit({ autostop: true });
          return { checksum: sums[0]! };
        };
      },
    },
    {
      name: 'rxjs',
      async start({ records }) {
        const { filter, from, map, reduce } = await import('rxjs');
        const integers = makeIntegers(records);
        return () => {
          let checksum = 0;
          from(integers as number[])
            .pipe(
              map((n) => n * 3 + 1),
              filter((n) => (n & 1) === 0),
              reduce((a, b) => a + b),
            )
            .subscribe((sum) => {
              checksum = sum;
            });
          return { checksum };
        };
      },
    },
  ],
  goals: [
    { ours: 'sage', peers: ['hand-written loop'], atMost: 1.25 },
    { ours: 'sage with error policies', peers: ['hand-written loop'], atMost: 1.25 },
    { ours: 'sage', peers: ['rxjs'], atLeast: 4 },
    { ours: 'sage after ten others', peers: ['hand-written loop'], atMost: 2 },
  ],
  informative: [['sage, aggregate', 'hand-written loop']],
};
