import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { FlatMapFunction, LocalEnvironment, MapFunction } from '../../ts/index.ts';

/** Says where it works, and gives its results with collect. */
class Says extends FlatMapFunction<number, string> {
  opened = 0;
  override open(): void {
    this.opened++;
  }
  async execute(n: number): Promise<void> {
    await nextTurn();
    this.collect(`${this.ctx.operator} ${n}`);
  }
}

const said = (operator: string): string[] => [1, 2, 3].map((n) => `${operator} ${n}`);

describe('one function object at several places', () => {
  it('given two operators of a job, then each has its own records and context', async () => {
    const [a, b]: string[][] = [[], []];
    const says = new Says();
    const env = new LocalEnvironment();
    const numbers = env.fromCollection([1, 2, 3]);
    numbers.flatMap(says).named('a').sink(a!);
    numbers.flatMap(says).named('b').sink(b!);
    await env.submit({ autostop: true });
    expect([a, b]).toEqual([said('a'), said('b')]);
    expect(says.opened).toBe(1);
  });

  it('given two jobs at once, then each has all of its records; given one after the other, both have the object itself', async () => {
    const records: string[] = [];
    const says = new Says();
    const env = new LocalEnvironment();
    env.fromCollection([1, 2, 3]).flatMap(says).named('a').sink(records);
    const results = await Promise.all([env.submit({ autostop: true }), env.submit({ autostop: true })]);
    expect(results.map(({ recordsOut }) => recordsOut)).toEqual([3, 3]);
    expect(records.toSorted()).toEqual([...said('a'), ...said('a')].toSorted());
    await env.submit({ autostop: true });
    await env.submit({ autostop: true });
    expect(says.opened).toBe(3);
  });

  it('given a job whose other operator cannot be made, then the object is free again', async () => {
    const says = new Says();
    class Refuses extends MapFunction<string, string> {
      constructor() {
        super();
        throw new Error('no');
      }
      execute(text: string): string {
        return text;
      }
    }
    const env = new LocalEnvironment();
    const stream = env.fromCollection([1, 2, 3]).flatMap(says).named('a');
    stream.map(Refuses).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_LIFECYCLE' });
    const other = new LocalEnvironment();
    other.fromCollection([1]).flatMap(says).sink([]);
    await other.submit({ autostop: true });
    expect(says.opened).toBe(1);
  });

  it('given one with #private members, then two operators at once are an error that says what to do', async () => {
    class Counts extends MapFunction<number, number> {
      #seen = 0;
      execute(): number {
        return ++this.#seen;
      }
    }
    const counts = new Counts();
    const env = new LocalEnvironment();
    const numbers = env.fromCollection([1, 2, 3]);
    numbers.map(counts).sink([]);
    numbers.map(counts).named('again').sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_PLAN_FUNCTION', operator: 'again', message: expect.stringContaining('several operators or jobs') as string });
  });
});
