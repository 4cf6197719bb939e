import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, type DeadLetter, type ErrorPolicy, KeyedBroadcastProcessFunction, KeyedCoProcessFunction, type KeyedFunctionContext, KeyedProcessFunction, LocalEnvironment, MapFunction, type StateSettings, type TimerKind, count, tumbling } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { numbers } from '../support/run-to-array.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 400 * PROPERTY_RUNS) });

/** A record that goes around `left` times more. */
interface Lap {
  readonly id: number;
  readonly left: number;
}

const KEYS = 5;
const keyOf = ({ id }: Lap): number => id % KEYS;
/** No two laps have the same, and none is due before the loop is at rest. */
const timeOf = ({ id, left }: Lap, kind: TimerKind): number => (kind === 'event' ? 1e6 : 4e12) + id * 10 + left;

/** How often the function fails at a lap, and whether the lap waits for a timer, of which kind, which may fail too. */
interface Fates {
  readonly failures: number;
  readonly timer: TimerKind | 'none';
  readonly timerFailures: number;
}

/** By a hash, so that each instance and the oracle say the same. */
function fatesOf({ id, left }: Lap, seed: number, isTimed: boolean): Fates {
  const n = Math.imul(id * 31 + left * 7 + seed * 101, 0x9e3779b1) >>> 8;
  const fails = (at: number): number => [0, 0, 0, 0, 0, 1, 2][(n >>> at) % 7]!;
  const timer = (['none', 'none', 'processing', 'event'] as const)[(n >>> 9) % 4]!;
  return { failures: fails(0), timer: timer === 'event' && !isTimed ? 'processing' : timer, timerFailures: fails(4) };
}

/** Of the job at hand. */
const run = { seed: 0, isTimed: false, attempts: new Map<string, number>(), seen: new Map<number, number[]>() };

function failSoOften(what: string, times: number): void {
  const attempt = (run.attempts.get(what) ?? 0) + 1;
  run.attempts.set(what, attempt);
  if (attempt <= times) throw new Error(`${what} fails`);
}

/** What the functions have in common; `collect` is theirs. */
interface Worker {
  readonly ctx: KeyedFunctionContext<number>;
  collect(lap: Lap): void;
}

function calls({ ctx }: Worker): number {
  return ctx.state.value('calls', { default: 0 }).update((n) => n + 1);
}

function note({ ctx }: Worker, n: number): void {
  const { key } = ctx;
  run.seen.set(key, [...(run.seen.get(key) ?? []), n]);
}

function work(self: Worker, lap: Lap): void | Promise<void> {
  const { failures, timer } = fatesOf(lap, run.seed, run.isTimed);
  const n = calls(self);
  const end = (): void => {
    if (timer === 'none') self.collect(lap);
    else {
      const time = timeOf(lap, timer);
      self.ctx.state.map<number, Lap>('parked').set(time, lap);
      if (timer === 'event') self.ctx.timers.eventTime(time);
      else self.ctx.timers.processingTime(time);
    }
    failSoOften(`lap ${lap.id} ${lap.left}`, failures);
    note(self, n);
  };
  return (lap.id + lap.left) % 4 === 1 ? Promise.resolve().then(end) : end();
}

function wake(self: Worker, time: number): void {
  const parked = self.ctx.state.map<number, Lap>('parked');
  const lap = parked.get(time)!;
  const n = calls(self);
  parked.delete(time);
  self.collect(lap);
  failSoOften(`timer ${lap.id} ${lap.left}`, fatesOf(lap, run.seed, run.isTimed).timerFailures);
  note(self, n);
}

class One extends KeyedProcessFunction<number, Lap, Lap> {
  execute(lap: Lap): unknown {
    return work(this, lap);
  }
  override onTimer(time: number): void {
    wake(this, time);
  }
}

class Two extends KeyedCoProcessFunction<number, [Lap, Lap], Lap> {
  execute0(lap: Lap): unknown {
    return work(this, lap);
  }
  execute1(lap: Lap): unknown {
    return work(this, lap);
  }
  override onTimer(time: number): void {
    wake(this, time);
  }
}

class Ruled extends KeyedBroadcastProcessFunction<number, Lap, number, Lap> {
  execute(lap: Lap): unknown {
    return work(this, lap);
  }
  executeBroadcast(rule: number): void {
    this.ctx.broadcast.list<number>('rules').add(rule);
  }
  override onTimer(time: number): void {
    wake(this, time);
  }
}

/** Counts in state of its own, in the middle of a stage. */
class Tally extends MapFunction<Lap, Lap> {
  override execute(lap: Lap): Lap {
    const n = this.ctx.state.value('n', { default: 0 });
    n.set(n.get() + 1);
    return lap;
  }
}

const policies: readonly ErrorPolicy[] = [
  // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
  { retry: 1, backoffMs: 0, then: 'skip' },
  // oxlint-disable-next-line unicorn/no-thenable -- as above
  { retry: 1, backoffMs: 0, then: 'deadLetter' },
  'skip',
  'deadLetter',
];

/** What is between the function and the way back. */
const bodies = ['map', 'promise', 'async', 'batch', 'generator', 'lookup', 'lookups', 'table', 'dedup'] as const;

function through(body: (typeof bodies)[number], stream: DataStream<Lap>, rows: DataStream<{ readonly id: number }>): DataStream<Lap> {
  switch (body) {
    case 'map':
      return stream.map((lap) => lap);
    case 'promise':
      return stream.map((lap) => Promise.resolve(lap));
    case 'async':
      return stream.mapAsync(async (lap) => lap, { concurrency: 3, ordered: false });
    case 'batch':
      return stream.batch({ max: 4 }).flatMap((laps) => laps);
    case 'generator':
      return stream.flatMap(async function* (lap: Lap) {
        yield lap;
        await Promise.resolve();
      });
    case 'lookup':
      return stream.lookup(async (id: number) => id, { key: 'id', concurrency: 4, cache: { max: 3, ttlMs: 1e6 } }, (lap) => lap);
    case 'lookups':
      return stream.lookup(async (ids: readonly number[]) => ids.map((id) => id), { key: 'id', concurrency: 2, batch: { max: 2, waitMs: 1 } }, (lap) => lap);
    case 'table':
      return stream.keyBy('id').join(rows.keyBy('id').asTable(), { type: 'left', time: 'processing' }, (lap) => lap);
    case 'dedup':
      return stream.dedup(({ id, left }) => `${id} ${left}`, { ttlMs: 1e9 });
  }
}

/** Property tests of functions with state, timers and error policies within a loop, for generated code and for the linked form. */
export function describeStatefulLoops(form: string, settings: StateSettings): void {
  describe(`${form}: a loop`, () => {
    it('goes on with what a timer gives at its end, through a call, into a batch', async () => {
      // given one record that waits for a timer, and behind that in one stage a call and a batch that is never full
      class Parked extends KeyedProcessFunction<number, number, number> {
        execute(left: number): void {
          this.ctx.state.value<number>('left').set(left);
          this.ctx.timers.processingTime(Number.MAX_SAFE_INTEGER);
        }
        override onTimer(): void {
          this.collect(this.ctx.state.value<number>('left').get()!);
        }
      }
      const env = new LocalEnvironment('parked', { state: settings });
      const again = env.fromFuture<number>('again');
      const out: number[] = [];
      const stream = env
        .fromCollection([3])
        .union(again)
        .keyBy(() => 0)
        .process(Parked)
        .mapAsync(async (left) => left, { concurrency: 2 })
        .batch({ max: 4 })
        .flatMap((all) => all);
      stream.filter((left) => left > 0).map((left) => left - 1).fillFuture(again);
      stream.sink(out);
      // when
      await env.submit({ autostop: true });
      // then it goes around until it is done
      expect(out).toEqual([3, 2, 1, 0]);
    });

    it.each(['one', 'two', 'ruled'] as const)('keeps records, state, timers and counts of a function with state (%s)', (kind) =>
      fc.assert(
        fc.asyncProperty(
          fc.record({
            records: fc.integer({ min: 0, max: 40 }),
            rounds: fc.integer({ min: 0, max: 4 }),
            seed: fc.nat(1000),
            isTimed: fc.boolean(),
            isSlow: fc.boolean(),
            policy: fc.constantFrom(...policies),
            between: fc.array(fc.constantFrom(...bodies), { maxLength: 2 }),
            parallelism: fc.integer({ min: 1, max: 4 }),
          }),
          async ({ records, rounds, seed, isTimed, isSlow, policy, between, parallelism }) => {
            // given
            Object.assign(run, { seed, isTimed, attempts: new Map(), seen: new Map() });
            const env = new LocalEnvironment('laps', { parallelism, state: settings });
            const laps = numbers(records).map((id): Lap => ({ id, left: rounds }));
            const given = isSlow ? env.fromSource(async function* () { yield* laps; }) : env.fromCollection(laps);
            const first = isTimed ? given.assignTimestamps(({ id }) => id, { outOfOrdernessMs: 0 }) : given;
            const again = env.fromFuture<Lap>('again');
            const [out, letters, windows]: [Lap[], DeadLetter<Lap>[], { readonly n: number }[]] = [[], [], []];
            // One stream without event time, and nothing behind it has any.
            const stamped = <T>(some: DataStream<T>): DataStream<T> => (isTimed ? some.assignTimestamps(() => 1, { outOfOrdernessMs: 0 }) : some);
            const rules = stamped(env.fromCollection([1, 2, 3]));
            const rows = stamped(env.fromCollection([{ id: 1 }, { id: 2 }]));
            const keyed = kind === 'two' ? undefined : first.union(again).keyBy(keyOf);
            const processed = keyed === undefined ? first.keyBy(keyOf).connect(again.keyBy(keyOf)).process(Two) : kind === 'one' ? keyed.process(One) : keyed.connect(rules.broadcast()).process(Ruled);
            processed.named('worker').onError(policy);
            if (JSON.stringify(policy).includes('deadLetter')) processed.deadLetters().sink(letters as unknown[]);
            let stream: DataStream<Lap> = settings === 'memory' ? processed.keyBy(keyOf).map(Tally) : processed;
            for (const body of between) stream = through(body, stream, rows);
            stream.filter(({ left }) => left > 0).map(({ id, left }) => ({ id, left: left - 1 })).fillFuture(again);
            stream.sink(out);
            const behind = isTimed ? stream.assignTimestamps(({ id }) => id, { outOfOrdernessMs: 1e9 }).keyBy(keyOf).window(tumbling('1h')) : stream.keyBy(keyOf);
            (behind.aggregate({ n: count() }) as DataStream<{ readonly n: number }>).sink(windows);
            // when
            const result = await env.submit({ autostop: true });
            // then
            const bearable = typeof policy === 'string' ? 0 : 1;
            const expected: Lap[] = [];
            const lost = { laps: 0, timers: 0 };
            let timers = 0;
            for (const { id } of laps) {
              for (let left = rounds; left >= 0; left--) {
                const fates = fatesOf({ id, left }, seed, isTimed);
                if (fates.failures > bearable) {
                  lost.laps++;
                  break;
                }
                if (fates.timer !== 'none') timers++;
                if (fates.timer !== 'none' && fates.timerFailures > bearable) {
                  lost.timers++;
                  break;
                }
                expected.push({ id, left });
              }
            }
            const sorted = (some: readonly Lap[]): unknown => some.toSorted((a, b) => a.id - b.id || b.left - a.left);
            expect(sorted(out)).toEqual(sorted(expected));
            for (const [key, seen] of run.seen) expect(seen, `the calls of key ${key}`).toEqual(numbers(seen.length).map((n) => n + 1));
            expect([...run.seen.values()].reduce((sum, { length }) => sum + length, 0)).toBe(expected.length + timers);
            expect(windows.reduce((sum, { n }) => sum + n, 0)).toBe(expected.length);
            for (const { sent, received } of result.edges) expect(sent).toBe(received);
            const worker = result.operators.find(({ name }) => name === 'worker')!;
            const came = expected.length + lost.laps + lost.timers + (kind === 'ruled' ? 3 * parallelism : 0);
            const isLetters = JSON.stringify(policy).includes('deadLetter');
            const all = lost.laps + lost.timers;
            expect([worker.recordsIn, worker.recordsOut, worker.recordsSkipped, worker.deadLetters]).toEqual([came, expected.length, isLetters ? 0 : all, isLetters ? all : 0]);
            expect(letters.filter(({ timer }) => timer === undefined).length).toBe(isLetters ? lost.laps : 0);
            expect(letters.length).toBe(isLetters ? all : 0);
          },
        ),
        {
          numRuns: shareOfRuns(0.4),
          endOnFailure: false,
          // A watermark comes behind a flush of the loop, when all timers are due already, and a lap registers another one.
          examples: [[{ records: 1, rounds: 3, seed: 486, isTimed: true, isSlow: true, policy: 'skip', between: [], parallelism: 2 }]],
        },
      ),
    );
  });
}
