import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TestEnvironment } from '../../../ts/testing/index.ts';
import { type DataStream, type Job, KeyedProcessFunction, type ListState, LocalEnvironment, MapFunction, ProcessFunction, type ValueState, count, tumbling } from '../../../ts/index.ts';
import { numbers } from '../support/run-to-array.ts';
import { shareOfRuns } from '../../property-runs.ts';

interface Collatz {
  readonly start: number;
  readonly n: number;
  readonly steps: number;
}

/** By definition. */
function collatzSteps(start: number): number {
  let steps = 0;
  for (let n = start; n !== 1; n = n % 2 === 0 ? n / 2 : 3 * n + 1) steps++;
  return steps;
}

/** A loop without end whose records have gone around so often. */
async function startEndless(records: readonly number[], laps: number): Promise<Job> {
  const env = new LocalEnvironment();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  let left = laps;
  const again = env.fromFuture<number>('again');
  const next = env.fromCollection(records).union(again).map((n) => {
    if (--left === 0) reach();
    return n;
  });
  next.fillFuture(again);
  next.filter(() => false).sink([]);
  const job = await env.submit();
  await reached;
  return job;
}

/** Lets a node pass the first time that it is reached. */
class FirstVisit extends KeyedProcessFunction<number, { readonly node: number; readonly depth: number }, { readonly node: number; readonly depth: number }> {
  #seen!: ValueState<boolean>;
  override open(): void {
    this.#seen = this.ctx.state.value('seen');
  }
  execute(visit: { readonly node: number; readonly depth: number }): void {
    if (this.#seen.get() === true) return;
    this.#seen.set(true);
    this.collect(visit);
  }
}

/** What a random loop does with a record, and how often it goes around. */
interface Round {
  readonly id: string;
  readonly left: number;
}

export function describeFeedback(name: string): void {
  describe(`feedback loops ${name}`, () => {
    it.each([1, 2, 3])('counts the steps of the Collatz sequence, with %i instances', async (parallelism) => {
      // given
      const env = new LocalEnvironment('collatz', { parallelism });
      const done: Collatz[] = [];
      const again = env.fromFuture<Collatz>('again');
      const starts = numbers(400).map((n) => ({ start: n + 1, n: n + 1, steps: 0 }));
      const { one, more } = env
        .fromCollection(starts)
        .union(again)
        .split(({ n }) => (n === 1 ? 'one' : 'more'), ['one', 'more']);
      more.map(({ start, n, steps }) => ({ start, n: n % 2 === 0 ? n / 2 : 3 * n + 1, steps: steps + 1 })).fillFuture(again);
      one.sink(done);
      // when
      const result = await env.submit({ autostop: true });
      // then
      expect(done.toSorted((a, b) => a.start - b.start).map(({ steps }) => steps)).toEqual(starts.map(({ start }) => collatzSteps(start)));
      const rounds = starts.reduce((sum, { start }) => sum + collatzSteps(start), 0);
      const way = result.edges.filter(({ feedback }) => feedback !== undefined);
      expect(way.map(({ sent, received, feedback }) => ({ sent, received, feedback }))).toEqual([
        { sent: rounds, received: rounds, feedback: { loop: 'again', recordsSpilled: 0, recordsDropped: 0 } },
      ]);
    });

    it('goes through several operators, promises and asynchronous calls among them', async () => {
      const env = new LocalEnvironment();
      const seen: number[] = [];
      const again = env.fromFuture<number>('again');
      const next = env
        .fromCollection([1, 2, 3])
        .union(again)
        .map((n) => (n % 3 === 0 ? Promise.resolve(n) : n))
        .mapAsync(async (n) => n, { concurrency: 4 })
        .flatMap((n) => [n + 1]);
      next.filter((n) => n < 50).fillFuture(again);
      next.sink(seen);
      await env.submit({ autostop: true });
      expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3].flatMap((start) => numbers(50 - start).map((n) => start + n + 1)).toSorted((a, b) => a - b));
    });

    it('retries what has failed, so many times', async () => {
      const env = new LocalEnvironment();
      const [good, given] = [[] as number[], [] as number[]];
      const again = env.fromFuture<{ n: number; attempt: number }>('again');
      const attempts = env.fromCollection(numbers(40).map((n) => ({ n, attempt: 1 }))).union(again);
      const { ok, failed } = attempts.split(({ n, attempt }) => (n % 7 < attempt ? 'ok' : 'failed'), ['ok', 'failed']);
      ok.map(({ n }) => n).sink(good);
      const { retry, lost } = failed.split(({ attempt }) => (attempt < 3 ? 'retry' : 'lost'), ['retry', 'lost']);
      retry.map(({ n, attempt }) => ({ n, attempt: attempt + 1 })).fillFuture(again);
      lost.map(({ n }) => n).sink(given);
      await env.submit({ autostop: true });
      expect(good.toSorted((a, b) => a - b)).toEqual(numbers(40).filter((n) => n % 7 < 3));
      expect(given.toSorted((a, b) => a - b)).toEqual(numbers(40).filter((n) => n % 7 >= 3));
    });

    it.each([1, 3])('searches a graph breadth first with keyed state in the loop, with %i instances', async (parallelism) => {
      const edges = new Map(numbers(200).map((node) => [node, [(node * 7 + 3) % 150, (node * 5 + 1) % 150]] as const));
      const reached = new Set([4]);
      for (const node of reached) for (const next of edges.get(node) ?? []) reached.add(next);
      const env = new LocalEnvironment('search', { parallelism });
      const found: number[] = [];
      const visits = env.fromFuture<{ node: number; depth: number }>('visits');
      const fresh = env.fromCollection([{ node: 4, depth: 0 }]).union(visits).keyBy('node').process(FirstVisit);
      fresh.flatMap(({ node, depth }) => (edges.get(node) ?? []).map((next) => ({ node: next, depth: depth + 1 }))).fillFuture(visits);
      fresh.map(({ node }) => node).sink(found);
      await env.submit({ autostop: true });
      expect(found.toSorted((a, b) => a - b)).toEqual([...reached].toSorted((a, b) => a - b));
    });

    it('finds connected components by handing on the least label', async () => {
      const links = numbers(60).map((n) => [n, (n * n + 11) % 60] as const).filter(([a, b]) => (a + b) % 3 !== 0);
      const parent = numbers(60);
      const root = (n: number): number => (parent[n] === n ? n : root(parent[n]!));
      for (const [a, b] of links) parent[Math.max(root(a), root(b))] = Math.min(root(a), root(b));
      class Least extends KeyedProcessFunction<number, { node: number; label: number }, { node: number; label: number }> {
        #label!: ValueState<number>;
        override open(): void {
          this.#label = this.ctx.state.value('label');
        }
        execute(message: { node: number; label: number }): void {
          if (message.label >= (this.#label.get() ?? Number.POSITIVE_INFINITY)) return;
          this.#label.set(message.label);
          this.collect(message);
        }
      }
      const env = new LocalEnvironment('components', { parallelism: 2 });
      const labels: { node: number; label: number }[] = [];
      const messages = env.fromFuture<{ node: number; label: number }>('messages');
      const better = env.fromCollection(numbers(60).map((node) => ({ node, label: node }))).union(messages).keyBy('node').process(Least);
      better
        .flatMap(({ node, label }) => links.flatMap(([a, b]) => (a === node ? [b] : b === node ? [a] : [])).map((other) => ({ node: other, label })))
        .fillFuture(messages);
      better.sink(labels);
      await env.submit({ autostop: true });
      const least = new Map<number, number>();
      for (const { node, label } of labels) least.set(node, Math.min(label, least.get(node) ?? label));
      expect(numbers(60).map((n) => least.get(n))).toEqual(numbers(60).map(root));
    });

    it('has an inner loop in an outer one', async () => {
      const env = new LocalEnvironment();
      const seen: string[] = [];
      const outer = env.fromFuture<{ a: number; b: number }>('outer');
      const inner = env.fromFuture<{ a: number; b: number }>('inner');
      const stepped = env.fromCollection([{ a: 0, b: 0 }]).union(outer).union(inner).map((pair) => {
        seen.push(`${pair.a} ${pair.b}`);
        return pair;
      });
      const { on, back } = stepped.split(({ b }) => (b < 3 ? 'on' : 'back'), ['on', 'back']);
      on.map(({ a, b }) => ({ a, b: b + 1 })).fillFuture(inner);
      back.filter(({ a }) => a < 2).map(({ a }) => ({ a: a + 1, b: 0 })).fillFuture(outer);
      back.sink([]);
      await env.submit({ autostop: true });
      expect(seen).toEqual(numbers(3).flatMap((a) => numbers(4).map((b) => `${a} ${b}`)));
    });

    it('has two loops one behind the other', async () => {
      const env = new LocalEnvironment('two', { parallelism: 2 });
      const seen: number[] = [];
      const loop = (input: DataStream<number>, name: string, limit: number): DataStream<number> => {
        const again = env.fromFuture<number>(name);
        const next = input.union(again).map((n) => n + 1);
        const { more, done } = next.split((n) => (n < limit ? 'more' : 'done'), ['more', 'done']);
        more.fillFuture(again);
        return done;
      };
      loop(loop(env.fromCollection(numbers(30)), 'first', 20), 'second', 50).sink(seen);
      await env.submit({ autostop: true });
      expect(seen.toSorted((a, b) => a - b)).toEqual(numbers(30).map((n) => Math.max(50, Math.max(20, n + 1) + 1)).toSorted((a, b) => a - b));
    });

    it('gives what batches in the loop still hold before it ends', async () => {
      const env = new LocalEnvironment();
      const seen: number[] = [];
      const again = env.fromFuture<number>('again');
      const next = env.fromCollection(numbers(10)).union(again).batch({ max: 4 }).flatMap((batch) => batch.map((n) => n + 10));
      next.filter((n) => n < 30).fillFuture(again);
      next.sink(seen);
      const result = await env.submit({ autostop: true });
      expect(seen.toSorted((a, b) => a - b)).toEqual(numbers(30).map((n) => n + 10));
      expect(result.edges.find(({ feedback }) => feedback !== undefined)!.feedback!.recordsDropped).toBe(0);
    });

    it('fires the timers of a loop before it ends, so that what they give goes around', async () => {
      class Later extends KeyedProcessFunction<number, { id: number; left: number }, { id: number; left: number }> {
        #waiting!: ListState<number>;
        override open(): void {
          this.#waiting = this.ctx.state.list('waiting');
        }
        execute({ left }: { id: number; left: number }): void {
          this.#waiting.add(left);
          this.ctx.timers.processingTime(Date.now() + 3_600_000);
        }
        override onTimer(): void {
          for (const left of this.#waiting) this.collect({ id: this.ctx.key, left: left - 1 });
          this.#waiting.clear();
        }
      }
      const env = new LocalEnvironment();
      const seen: string[] = [];
      const again = env.fromFuture<{ id: number; left: number }>('again');
      const given = env.fromCollection(numbers(5).map((id) => ({ id, left: 3 }))).union(again).keyBy('id').process(Later);
      given.filter(({ left }) => left > 0).fillFuture(again);
      given.map(({ id, left }) => `${id} ${left}`).sink(seen);
      await env.submit({ autostop: true });
      expect(seen.toSorted()).toEqual(numbers(5).flatMap((id) => [0, 1, 2].map((left) => `${id} ${left}`)));
    });

    it('waits for an aggregate in the loop that emits now and then', async () => {
      const env = new LocalEnvironment();
      const seen: number[] = [];
      const again = env.fromFuture<{ k: number; n: number }>('again');
      const sums = env
        .fromCollection([{ k: 1, n: 1 }])
        .union(again)
        .keyBy('k')
        .reduce((a, b) => ({ k: a.k, n: a.n + b.n }), { emit: { everyMs: 5 } });
      sums.filter(({ n }) => n < 64).fillFuture(again);
      sums.map(({ n }) => n).sink(seen);
      await env.submit({ autostop: true });
      expect(seen).toEqual([1, 2, 4, 8, 16, 32, 64]);
    });

    it('waits for windows of processing time in the loop', async () => {
      const env = new LocalEnvironment();
      const seen: number[] = [];
      const again = env.fromFuture<{ k: number; n: number }>('again');
      const sums = env
        .fromCollection([{ k: 1, n: 1 }, { k: 1, n: 2 }])
        .union(again)
        .keyBy('k')
        .window(tumbling('5ms'))
        .reduce((a, b) => ({ k: a.k, n: a.n + b.n }));
      sums.filter(({ n }) => n < 40).map(({ k, n }) => ({ k, n: n * 3 })).fillFuture(again);
      sums.map(({ n }) => n).sink(seen);
      await env.submit({ autostop: true });
      // The two records may be in two windows, and then go around apart; all the same none is lost.
      expect([[3, 9, 27, 81], [1, 2, 3, 6, 9, 18, 27, 54, 81]]).toContainEqual(seen.toSorted((a, b) => a - b));
    });

    it('keeps going around after a pause', async () => {
      const env = new LocalEnvironment();
      const seen: number[] = [];
      let many: () => void = () => undefined;
      const reached = new Promise<void>((resolve) => (many = resolve));
      const again = env.fromFuture<number>('again');
      const next = env.fromCollection([0]).union(again).map((n) => {
        if (n === 50) many();
        return n + 1;
      });
      next.filter((n) => n < 2_000).fillFuture(again);
      next.sink(seen);
      const job = await env.submit();
      await reached;
      await job.pause();
      await job.resume();
      await job.completion;
      expect(seen).toEqual(numbers(2_000).map((n) => n + 1));
    });

    it('closes windows of event time behind the loop only when the loop has ended, so that none of its records is late for the end', async () => {
      const env = new LocalEnvironment();
      const seen: { key: number; n: number }[] = [];
      const again = env.fromFuture<{ k: number; at: number; left: number }>('again');
      const next = env
        .fromCollection(numbers(20).map((n) => ({ k: n % 3, at: 1000 + n, left: n % 5 })))
        .assignTimestamps('at', { outOfOrdernessMs: 100 })
        .union(again)
        .map((record) => record);
      next.filter(({ left }) => left > 0).map((record) => ({ ...record, left: record.left - 1 })).fillFuture(again);
      next.keyBy('k').window(tumbling('1s')).aggregate({ n: count() }).sink(seen as never);
      const result = await env.submit({ autostop: true });
      const expected = numbers(3).map((k) => ({ key: k, n: numbers(20).filter((n) => n % 3 === k).reduce((sum, n) => sum + 1 + (n % 5), 0) }));
      expect(seen.map(({ key, n }) => ({ key, n })).toSorted((a, b) => a.key - b.key)).toEqual(expected);
      expect(result.operators.every(({ recordsLate = 0 }) => recordsLate === 0)).toBe(true);
    });

    it('emits the results of an aggregate behind the loop once, when the loop has ended', async () => {
      const env = new LocalEnvironment();
      const sums: number[] = [];
      const again = env.fromFuture<number>('again');
      const next = env.fromCollection(numbers(10)).union(again).map((n) => n + 1);
      next.filter((n) => n < 100).fillFuture(again);
      next.reduce((a, b) => a + b).sink(sums);
      await env.submit({ autostop: true });
      const all = numbers(10).flatMap((n) => numbers(100 - n).map((more) => n + more + 1));
      expect(sums).toEqual([all.reduce((a, b) => a + b)]);
    });

    it('keeps counts with dead letters and skipped records in the loop', async () => {
      const env = new LocalEnvironment();
      const dead: number[] = [];
      const [all, again] = [[] as number[], env.fromFuture<number>('again')];
      class Picky extends MapFunction<number, number> {
        execute(n: number): number {
          if (n % 10 === 7) throw new Error('seven');
          return n + 1;
        }
      }
      const next = env.fromCollection(numbers(20)).union(again).map(Picky).onError('deadLetter');
      next.deadLetters().map(({ record }) => record).sink(dead);
      next.filter((n) => n < 60).fillFuture(again);
      next.sink(all);
      const result = await env.submit({ autostop: true });
      const expected = { dead: [] as number[], all: [] as number[] };
      for (const start of numbers(20)) {
        for (let n = start; ; ) {
          if (n % 10 === 7) {
            expected.dead.push(n);
            break;
          }
          expected.all.push(++n);
          if (n >= 60) break;
        }
      }
      expect(dead.toSorted((a, b) => a - b)).toEqual(expected.dead.toSorted((a, b) => a - b));
      expect(all.toSorted((a, b) => a - b)).toEqual(expected.all.toSorted((a, b) => a - b));
      expect(result.deadLetters).toBe(expected.dead.length);
    });

    it('loses nothing in a loop that goes over disk, with a slow reader behind it', async () => {
      const env = new LocalEnvironment();
      const seen: number[] = [];
      const again = env.fromFuture<{ left: number; text: string }>('again', { memoryBytes: 2_000 });
      const { more, done } = env
        .fromCollection(numbers(200).map((n) => ({ left: 5, text: `${n} ${'x'.repeat(50)}` })))
        .union(again)
        .flatMap(({ left, text }) => (left === 5 ? numbers(10).map((n) => ({ left: 4, text: `${text} ${n}` })) : [{ left: left - 1, text }]))
        .split(({ left }) => (left > 0 ? 'more' : 'done'), ['more', 'done']);
      more.fillFuture(again);
      let n = 0;
      done.sink((record) => {
        seen.push(Number(record.text.split(' ')[0]) * 10 + Number(record.text.split(' ')[2]));
        return n++ % 100 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
      });
      const result = await env.submit({ autostop: true });
      expect(seen.toSorted((a, b) => a - b)).toEqual(numbers(2000));
      expect(result.edges.find(({ feedback }) => feedback !== undefined)!.feedback!.recordsSpilled).toBeGreaterThan(0);
    });

    it('fails when a loop that gives more than it takes has no room left on disk', async () => {
      const env = new LocalEnvironment();
      const line = Number(/describe-feedback\.ts:(\d+)/.exec(new Error('here').stack!)![1]) + 1;
      const again = env.fromFuture<string>('flood', { memoryBytes: 1_000, spillBytes: 200_000 });
      const doubled = env.fromCollection(['a text of some length']).union(again).flatMap((text) => [text, text]);
      doubled.fillFuture(again);
      doubled.filter(() => false).sink([]);
      await expect(env.submit({ autostop: true })).rejects.toMatchObject({
        code: 'SAGE_SPILL_LIMIT',
        message: expect.stringContaining("'flood'") as unknown,
        operator: 'flood',
        declaredAt: { file: expect.stringContaining('describe-feedback.ts') as unknown, line },
      });
    });

    it('stops in the middle of a loop without end, and counts what does not go around any more', async () => {
      const job = await startEndless(numbers(50), 5_000);
      const result = await job.stop();
      expect(result.status).toBe('stopped');
      const filler = result.operators.find(({ name }) => name === 'fillFuture');
      const head = result.operators.find(({ name }) => name === 'again');
      expect(filler!.recordsDropped).toBe(50);
      expect(filler!.recordsIn).toBe(filler!.recordsOut + filler!.recordsDropped);
      expect(head!.recordsIn).toBe(filler!.recordsOut);
    });

    it.each([1, 2])('ends a loop without end when all that comes out of it has come to its limits, with %i instances', async (parallelism) => {
      const env = new LocalEnvironment('limits', { parallelism });
      const [some, more]: [number[], number[]] = [[], []];
      const again = env.fromFuture<number>('again');
      const next = env.fromCollection([0, 1, 2]).union(again).map((n) => n + 3);
      next.fillFuture(again);
      next.limit(100).sink(some);
      next.filter((n) => n % 2 === 0).limit(70).sink(more);
      const { edges, operators } = await env.submit({ autostop: true });
      expect([some.length, more.length]).toEqual([100, 70]);
      for (const { sent, received } of edges) expect(sent).toBe(received);
      const counts = (name: string): { readonly recordsIn: number; readonly recordsOut: number; readonly recordsFiltered: number } => operators.find((one) => one.name === name)!;
      expect(counts('fillFuture').recordsIn).toBe(counts('map').recordsOut);
      expect(counts('fillFuture').recordsFiltered).toBe(3);
      expect(counts('again').recordsOut).toBe(counts('fillFuture').recordsOut);
    });

    it('is cancelled in the middle of a loop without end', async () => {
      const job = await startEndless([1], 100);
      const { edges } = job.metrics();
      await job.cancel();
      expect(job.status).toBe('canceled');
      expect(edges.find(({ feedback }) => feedback !== undefined)).toMatchObject({ feedback: { loop: 'again' }, diskBytes: 0 });
    });

    it('keeps the event time of what goes around, and event time is not held back', async () => {
      class Stamp extends ProcessFunction<number, string> {
        execute(n: number): void {
          this.collect(`${n} at ${this.ctx.timestamp}`);
        }
      }
      const env = new LocalEnvironment();
      const seen: string[] = [];
      const again = env.fromFuture<number>('again');
      const next = env.fromCollection([10, 20]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).union(again).map((n) => n + 1);
      next.filter((n) => n % 10 < 3).fillFuture(again);
      next.process(Stamp).sink(seen);
      await env.submit({ autostop: true });
      expect(seen.toSorted()).toEqual([11, 12, 13].map((n) => `${n} at 10`).concat([21, 22, 23].map((n) => `${n} at 20`)));
    });

    it('goes on in event time by the streams that still come, when one that leads into the loop has ended', async () => {
      // given
      await using env = new TestEnvironment();
      const settings = { outOfOrdernessMs: 0, maxAheadMs: Number.POSITIVE_INFINITY };
      const live = env.testSource<{ at: number }>('live', { eventTime: false });
      const found = env.collectSink<{ window: { start: number }; n: number }>();
      const again = env.fromFuture<{ at: number }>('again');
      const into = env.fromSource(live).assignTimestamps('at', settings).union(env.fromCollection([{ at: 2 }]).assignTimestamps('at', settings)).union(again).map((record) => record);
      into.filter(() => false).fillFuture(again);
      into.window(tumbling(10)).aggregate({ n: count() }).sink(found);
      await env.start();
      // when
      live.push({ at: 1 });
      live.push({ at: 30 });
      await env.settle();
      // then
      expect(found.records.map(({ window, n }) => [window.start, n])).toEqual([[0, 2]]);
      await env.finish();
      expect(found.records.map(({ window, n }) => [window.start, n])).toEqual([[0, 2], [30, 1]]);
    });

    it('ends for random loops, of any width, depth and number of instances', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            records: fc.integer({ min: 0, max: 60 }),
            rounds: fc.integer({ min: 1, max: 6 }),
            fanOut: fc.integer({ min: 0, max: 3 }),
            stages: fc.array(fc.constantFrom('map', 'rebalance', 'keyed', 'promise', 'async', 'batch', 'union'), { maxLength: 4 }),
            parallelism: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 }),
            memoryBytes: fc.constantFrom(0, 300, 1 << 20),
          }),
          async ({ records, rounds, fanOut, stages, parallelism, memoryBytes }) => {
            const env = new LocalEnvironment('random', { parallelism: parallelism[0]! });
            const seen: string[] = [];
            const again = env.fromFuture<Round>('again', { memoryBytes });
            let stream: DataStream<Round> = env.fromCollection(numbers(records).map((n) => ({ id: `${n}`, left: rounds }))).union(again);
            stages.forEach((stage, n) => {
              const instances = parallelism[n]!;
              if (stage === 'map') stream = stream.map((round) => round).parallelism(instances);
              else if (stage === 'rebalance') stream = stream.rebalance().parallelism(instances);
              else if (stage === 'keyed') stream = stream.keyBy(({ id }) => id.length).parallelism(instances).map((round) => round);
              else if (stage === 'promise') stream = stream.map((round) => Promise.resolve(round));
              else if (stage === 'async') stream = stream.mapAsync(async (round) => round, { concurrency: 3, ordered: false });
              else if (stage === 'batch') stream = stream.batch({ max: 3 }).flatMap((batch) => batch);
              else stream = stream.filter(({ id }) => id.endsWith('1')).union(stream.filter(({ id }) => !id.endsWith('1')));
            });
            stream.flatMap(({ id, left }) => (left === 0 ? [] : numbers(fanOut).map((n) => ({ id: `${id}.${n}`, left: left - 1 })))).fillFuture(again);
            stream.map(({ id }) => id).sink(seen);
            const result = await env.submit({ autostop: true });
            let level = numbers(records).map(String);
            const expected = [...level];
            for (const _ of numbers(rounds)) {
              level = level.flatMap((id) => numbers(fanOut).map((n) => `${id}.${n}`));
              expected.push(...level);
            }
            expect(seen.toSorted()).toEqual(expected.toSorted());
            for (const { sent, received } of result.edges) expect(sent).toBe(received);
          },
        ),
        { numRuns: shareOfRuns(0.2) },
      );
    });
  });
}
