import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { type DataStream, FileSource, JsonLinesSink, LocalEnvironment, col, count, sliding, tumbling } from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { type Event, type NaiveSettings, naiveWindows } from './naive-windows.ts';
import { asAsked } from './run-windows.ts';
import { boundedAssigners, builtInTrigger, eventsUpTo, settings } from './window-cases.ts';
import { NUMBERS, type WindowNumbers, numbersOf } from './window-numbers.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-native-windows-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const fileName = (): string => join(folder, `${++files}.jsonl`);

function written(records: readonly unknown[]): string {
  const path = fileName();
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return path;
}

const read = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);

interface Case extends Omit<NaiveSettings, 'atEnd'> {
  readonly events: readonly Event[];
  readonly keyed: boolean;
  readonly parallelism: number;
  /** Whether the results go to a writer of the core, or to JavaScript. */
  readonly toFile: boolean;
  /** The filter leaves out values below this. */
  readonly least: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  events: eventsUpTo(60),
  // Global windows have no bounds that a file of JSON can hold.
  assigner: boundedAssigners,
  ...settings,
  keyed: fc.boolean(),
  parallelism: fc.constantFrom(1, 1, 2, 3),
  toFile: fc.boolean(),
  least: fc.constantFrom(-9, -5, 0),
});

type Result = WindowNumbers & { readonly key?: string; readonly window: { readonly start: number; readonly end: number } };

/** Runs windows behind a reader; what they gave, and how many records were late. */
async function run(one: Case): Promise<{ results: Result[]; late: number }> {
  const env = new LocalEnvironment('native windows');
  const stamped = env
    .fromSource(FileSource.jsonLines<Event>(written(one.events)))
    .filter(col('value').ge(one.least))
    .assignTimestamps('at', { outOfOrdernessMs: one.outOfOrdernessMs });
  const windows = { kind: 'windows', assigner: one.assigner } as const;
  const trigger = builtInTrigger({ ...one, atEnd: true });
  const stream: DataStream<Result> = one.keyed
    ? asAsked(stamped.keyBy('key').parallelism(one.parallelism).window(windows), one).trigger(trigger).aggregate(NUMBERS)
    : asAsked(stamped.window(windows), one).trigger(trigger).aggregate(NUMBERS);
  const results: Result[] = [];
  const path = fileName();
  if (one.toFile) stream.sink(new JsonLinesSink(path));
  else stream.sink(results);
  expect(env.explain({ level: 'physical' })).toMatch(/native \(computed by the core on threads of its own\)\n.* -> window 'window'/);
  const { operators } = await env.submit({ autostop: true });
  return { results: one.toFile ? (read(path) as Result[]) : results, late: operators.find(({ name }) => name === 'window')!.recordsLate! };
}

const inOrder = (results: readonly Result[]): Result[] => results.toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : (a.key ?? '') > (b.key ?? '') ? 1 : a.window.start - b.window.start || a.window.end - b.window.end));

describe('windows that run in the core from the reader on', () => {
  it('agree with their definition', () =>
    fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const taken = one.events.filter(({ value }) => value >= one.least).map((event) => (one.keyed ? event : { ...event, key: '' }));
        const { shown, late } = naiveWindows(taken, { ...one, atEnd: true });
        const expected = shown.map(({ key, start, end, elements }): Result => ({ ...(one.keyed ? { key } : {}), ...numbersOf(elements), window: { start, end } }));
        const found = await run(one);
        expect(inOrder(found.results)).toEqual(inOrder(expected));
        expect(found.late).toBe(late.length);
      }),
      { numRuns: shareOfRuns(0.3), endOnFailure: false },
    ));

  it('hand event time on to what is behind them', async () => {
    // given windows of the core, and behind them windows of JavaScript by the event time of their results
    const env = new LocalEnvironment('two windows');
    const readings = Array.from({ length: 1000 }, (_, n) => ({ key: `k${n % 3}`, at: 1_000_000 + n * 10 }));
    const totals: unknown[] = [];
    env
      .fromSource(FileSource.jsonLines<{ key: string; at: number }>(written(readings)))
      .assignTimestamps('at', { outOfOrdernessMs: 0 })
      .keyBy('key')
      .window(tumbling(1000))
      .aggregate({ n: count() })
      .map((result) => ({ ...result }))
      .window(tumbling(5000))
      .map(({ start, elements }) => ({ start, n: elements.reduce((sum, { n }) => sum + n, 0), of: elements.length }))
      .sink(totals);
    // when
    await env.submit({ autostop: true });
    // then each of the second ones has the results whose windows end in it
    expect(totals).toEqual([
      { start: 1_000_000, n: 500, of: 15 },
      { start: 1_005_000, n: 500, of: 15 },
    ]);
  });

  it('fail at the record whose timestamp is none, in the words of JavaScript', async () => {
    for (const at of ['soon', null, Number.MAX_VALUE, Date.now() + 1e9 * 1000]) {
      const attempt = (native: boolean): Promise<unknown> => {
        const env = new LocalEnvironment('bad');
        const path = written([{ key: 'a', at: 5 }, { key: 'b', at }]);
        const source = env.fromSource(FileSource.jsonLines<{ key: string; at: number }>(path));
        (native ? source : source.map((record) => record)).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('key').window(tumbling(10)).aggregate({ n: count() }).sink([]);
        return env.submit({ autostop: true }).then(
          () => 'no error',
          ({ code, operator, record }: { code: string; operator: string; record: unknown }) => ({ code, operator, record }),
        );
      };
      const inCore = await attempt(true);
      expect(inCore).toEqual({ code: at === Number.MAX_VALUE || typeof at !== 'number' ? 'SAGE_TIME_INVALID' : 'SAGE_TIME_AHEAD', operator: 'assignTimestamps', record: { key: 'b', at } });
      expect(inCore).toEqual(await attempt(false));
    }
  });

  it('are left to JavaScript where they need it, and explain says why', () => {
    const plan = (build: (stream: DataStream<Event>) => unknown, config = {}): string => {
      const env = new LocalEnvironment('why', config);
      build(env.fromSource(FileSource.jsonLines<Event>('events.jsonl')));
      return env.explain({ level: 'physical' });
    };
    expect(plan((stream) => stream.assignTimestamps('at', { outOfOrdernessMs: 0, idleMs: 5 }).print())).toContain("'assignTimestamps' has idleMs");
    expect(plan((stream) => stream.assignTimestamps('at', { outOfOrdernessMs: 0 }).print(), { clock: new VirtualClock() })).toContain("'assignTimestamps' goes by the clock of the environment");
    const keyed = (stream: DataStream<Event>) => stream.assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('key');
    expect(plan((stream) => keyed(stream).window(tumbling(10)).lateTo('late').aggregate({ n: count() }).print())).toContain("'keyBy' gives late records to a side output");
    expect(plan((stream) => keyed(stream).window(sliding(10, 5)).reduce((a) => a).print())).toContain("'keyBy' has windows that need JavaScript");
    expect(plan((stream) => stream.keyBy('key').window(tumbling(10)).aggregate({ n: count() }).print())).toContain("'keyBy' has windows that go by the clock");
  });
});
