import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';

const CONCURRENCY = 64;

/** As cheap as an asynchronous function can be: what is left is the cost of having many of them in flight. */
const call = async (n: number): Promise<number> => {
  await undefined;
  return n * 3 + 1;
};

/** Sum of the results with their places, so that a wrong order changes it. */
class OrderedSum {
  #sum = 0;
  #place = 0;

  add(result: number): void {
    this.#sum = (this.#sum + result * (1 + (this.#place++ & 7))) % 2 ** 40;
  }

  get checksum(): number {
    return this.#sum;
  }
}

const makeNumbers = (records: number): readonly number[] => Array.from({ length: records }, (_, n) => n & 0xffff);

function oracle(records: number): number {
  const sum = new OrderedSum();
  for (const n of makeNumbers(records)) sum.add(n * 3 + 1);
  return sum.checksum;
}

/** Workers that take the next record; results are given on in order, as they come. */
async function handWritten(numbers: readonly number[]): Promise<number> {
  const sum = new OrderedSum();
  const waiting = new Map<number, number>();
  let next = 0;
  let given = 0;
  const work = async (): Promise<void> => {
    while (next < numbers.length) {
      const place = next++;
      waiting.set(place, await call(numbers[place]!));
      for (let result = waiting.get(given); result !== undefined; result = waiting.get(given)) {
        waiting.delete(given++);
        sum.add(result);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return sum.checksum;
}

function startSage() {
  return async ({ records, engine }: VariantContext): Promise<Run> => {
    const { LocalEnvironment } = await engine();
    const numbers = makeNumbers(records);
    return async () => {
      const sum = new OrderedSum();
      const env = new LocalEnvironment('map-async');
      env.fromCollection(numbers).mapAsync((n) => call(n), { concurrency: CONCURRENCY }).sink((result) => sum.add(result));
      await env.submit({ autostop: true });
      return { checksum: sum.checksum };
    };
  };
}

export const benchCase: BenchCase = {
  row: 'map-async',
  title: `an asynchronous function, ${CONCURRENCY} calls in flight, results in order`,
  records: 1_000_000,
  quickRecords: 200_000,
  per: 'record',
  oracle,
  variants: [
    {
      name: 'hand-written bounded loop',
      async start({ records }) {
        const numbers = makeNumbers(records);
        return async () => ({ checksum: await handWritten(numbers) });
      },
    },
    {
      name: 'p-map',
      async start({ records }) {
        const { default: pMap } = await import('p-map');
        const numbers = makeNumbers(records);
        return async () => {
          const sum = new OrderedSum();
          for (const result of await pMap(numbers, (n) => call(n), { concurrency: CONCURRENCY })) sum.add(result);
          return { checksum: sum.checksum };
        };
      },
    },
    { name: 'sage', ours: true, start: startSage() },
  ],
  goals: [
    { ours: 'sage', peers: ['hand-written bounded loop'], atMost: 2 },
    { ours: 'sage', peers: ['p-map'], atLeast: 1 },
  ],
};
