import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { FilterFunction, FlatMapFunction, LocalEnvironment, MapFunction, OutputTag, ProcessFunction, SinkFunction, count } from '../../../ts/index.ts';
import { numbers, recordsOf, runToArray } from '../support/run-to-array.ts';

const odd = new OutputTag<number>('odd');

/** Gives each number twice, odd ones to the side, and their sum at the end. */
class Twice extends ProcessFunction<number, number> {
  readonly #later: boolean;
  #sum = 0;
  constructor(later: boolean) {
    super();
    this.#later = later;
  }
  execute(n: number): unknown {
    this.#sum += n;
    this.collect(n);
    if (n % 2 === 1) this.output(odd, n);
    if (!this.#later) return this.collect(n);
    return nextTurn().then(() => this.collect(n));
  }
  override async finish(): Promise<void> {
    if (this.#later) await nextTurn();
    this.collect(this.#sum);
    this.output(odd, this.#sum);
  }
}

export function describeProcess(label: string): void {
  describe(`process, ${label}`, () => {
    it.each([false, true])('collects, sends to the side and finishes; later: %s', async (later) => {
      const env = new LocalEnvironment();
      const [records, sides]: number[][] = [[], []];
      const stream = env.fromCollection(numbers(10)).process(Twice, later);
      stream.sink(records!);
      stream.sideOutput(odd).sink(sides!);
      const result = await env.submit({ autostop: true });
      expect(records).toEqual([...numbers(10).flatMap((n) => [n, n]), 45]);
      expect(sides).toEqual([1, 3, 5, 7, 9, 45]);
      expect(result.operators.find(({ name }) => name === 'process')).toMatchObject({ recordsIn: 10, recordsOut: 21 });
    });

    it('what finish collects goes through everything behind it, and into the finish of others', async () => {
      const records = await recordsOf((env) =>
        env.fromCollection(numbers(10)).process(Twice, false).batch({ max: 4 }).mapAsync(async (batch) => batch.length, { concurrency: 2 }).process(Twice, true).aggregate({ n: count() }),
      );
      // 21 records make 6 batches; twice, and a sum.
      expect(records).toEqual([{ n: 13 }]);
    });

    it('ctx.key is that of the record', async () => {
      class Keys extends ProcessFunction<number, string> {
        execute(n: number): void {
          this.collect(`${n} ${String(this.ctx.key)}`);
        }
      }
      expect(await recordsOf((env) => env.fromCollection(numbers(4)).keyBy((n) => `k${n % 2}`).process(Keys))).toEqual(['0 k0', '1 k1', '2 k0', '3 k1']);
    });

    it.each([['stop', []], ['drain', [6]]] as const)('finish is called when all input has come, and not by a stop alone: %s', async (how, finished) => {
      const sums: number[] = [];
      const waits = Promise.withResolvers<void>();
      class Sum extends ProcessFunction<number, number> {
        #sum = 0;
        execute(n: number): void {
          this.#sum += n;
        }
        override finish(): void {
          this.collect(this.#sum);
        }
      }
      const env = new LocalEnvironment();
      env
        .fromSource(async function* () {
          yield* [1, 2, 3];
          waits.resolve();
          await new Promise(() => undefined);
        }, { unbounded: true })
        .process(Sum)
        .sink(sums);
      const job = await env.submit();
      await waits.promise;
      await job.stop({ drain: how === 'drain' });
      expect(sums).toEqual(finished);
    });
  });

  describe(`side outputs, ${label}`, () => {
    it('of each kind of class, in the order of the records', async () => {
      class Maps extends MapFunction<number, number> {
        execute(n: number): number | undefined {
          this.output('side', `map ${n}`);
          return n % 2 === 0 ? n : undefined;
        }
      }
      class Filters extends FilterFunction<number> {
        execute(n: number): boolean | Promise<boolean> {
          this.output('side', `filter ${n}`);
          return n % 4 === 0 ? true : Promise.resolve(false);
        }
      }
      class Flattens extends FlatMapFunction<number, number> {
        *execute(n: number): Generator<number> {
          this.output('side', `before ${n}`);
          yield n;
          this.output('side', `behind ${n}`);
        }
      }
      class Nothing extends FlatMapFunction<number, number> {
        execute(n: number): void {
          this.output('side', `nothing ${n}`);
        }
      }
      class Sinks extends SinkFunction<number> {
        async execute(n: number): Promise<void> {
          this.output('side', `sink ${n}`);
        }
      }
      const env = new LocalEnvironment();
      const sides: string[][] = [[], [], [], [], []];
      const maps = env.fromCollection(numbers(9)).map(Maps);
      maps.sideOutput<string>('side').sink(sides[0]!);
      const filters = maps.filter(Filters);
      filters.sideOutput<string>('side').sink(sides[1]!);
      const flattens = filters.flatMap(Flattens);
      flattens.sideOutput<string>('side').sink(sides[2]!);
      const nothing = flattens.flatMap(Nothing);
      nothing.sideOutput<string>('side').sink(sides[3]!);
      nothing.sink(() => undefined);
      const sinks = flattens.sink(Sinks);
      sinks.sideOutput<string>('side').sink(sides[4]!);
      const result = await env.submit({ autostop: true });
      const evens = numbers(9).filter((n) => n % 2 === 0);
      const fours = evens.filter((n) => n % 4 === 0);
      expect(sides).toEqual([
        numbers(9).map((n) => `map ${n}`),
        evens.map((n) => `filter ${n}`),
        fours.flatMap((n) => [`before ${n}`, `behind ${n}`]),
        fours.map((n) => `nothing ${n}`),
        fours.map((n) => `sink ${n}`),
      ]);
      expect(result.operators.filter(({ name }) => name.startsWith('side')).map(({ recordsIn }) => recordsIn)).toEqual([9, 5, 6, 3, 3]);
    });

    it('two readers of one tag, several tags, and one that nobody takes', async () => {
      class Tags extends MapFunction<number, number> {
        execute(n: number): number {
          this.output('a', n);
          this.output('b', -n);
          this.output('nobody', n);
          return n;
        }
      }
      const env = new LocalEnvironment();
      const log: string[] = [];
      const stream = env.fromCollection([1, 2]).map(Tags);
      stream.sideOutput<number>('a').map(async (n) => n).sink((n) => log.push(`a${n}`));
      stream.sideOutput<number>('b').sink((n) => log.push(`b${n}`));
      stream.sideOutput<number>('a').sink((n) => log.push(`A${n}`));
      stream.sink((n) => log.push(`${n}`));
      await env.submit({ autostop: true });
      expect(log).toEqual(['a1', 'A1', 'b-1', '1', 'a2', 'A2', 'b-2', '2']);
    });

    it('a record that was given when nobody could pass it on is an error, not lost', async () => {
      class Late extends MapFunction<number, number> {
        execute(n: number): number {
          return n;
        }
        override close(): void {
          this.output('side', 1);
        }
      }
      const env = new LocalEnvironment();
      const stream = env.fromCollection([1]).map(Late);
      stream.sink(() => undefined);
      stream.sideOutput('side').sink(() => undefined);
      await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_ENV_CONTEXT', operator: 'map', message: expect.stringContaining('output()') as string });
    });

    it('a class for two instances sends to the side of both', async () => {
      class Sides extends MapFunction<number, number> {
        execute(n: number): number {
          this.output(odd, n * 10);
          return n;
        }
      }
      const { records, result } = await runToArray((env) => {
        const stream = env.fromCollection(numbers(100)).map(Sides).parallelism(2);
        stream.sink(() => undefined);
        return stream.sideOutput(odd);
      });
      expect(records.toSorted((a, b) => a - b)).toEqual(numbers(100).map((n) => n * 10));
      expect(result.edges.filter(({ sent, received }) => sent !== received)).toEqual([]);
    });
  });
}
