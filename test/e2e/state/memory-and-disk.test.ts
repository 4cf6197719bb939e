import fc from 'fast-check';
import { expect, it, vi } from 'vitest';

import { type AggregatingState, KeyedProcessFunction, LocalEnvironment, type ListState, type MapState, type ReducingState, type StateSettings, type ValueState, avg } from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

// Whatever a function does with its states, it sees the same in both places: times to live, attempts that are taken back, values of all kinds.

const FORMS = ['value', 'living value', 'list', 'living list', 'map', 'living map', 'reducing', 'aggregating'] as const;
const ACTS = ['write', 'write', 'write', 'remove', 'clear', 'in place', 'read'] as const;

interface Step {
  readonly key: unknown;
  readonly passedMs: number;
  readonly acts: readonly { readonly form: (typeof FORMS)[number]; readonly act: (typeof ACTS)[number]; readonly value: unknown }[];
  /** Whether the attempt is taken back. */
  readonly fails: boolean;
}

const values = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.double(),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.record({ n: fc.nat(9), texts: fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 }) }),
  fc.bigInt({ min: 0n, max: 9n }),
  fc.date({ noInvalidDate: true }),
  fc.constant(null),
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    key: fc.oneof(fc.nat(5), fc.constantFrom('a', 'b', 'a key that is longer than fifteen bytes'), fc.record({ id: fc.nat(1) })),
    passedMs: fc.oneof(fc.nat(3), fc.constantFrom(0, 0.5, 30, 100)),
    acts: fc.array(fc.record({ form: fc.constantFrom(...FORMS), act: fc.constantFrom(...ACTS), value: values }), { maxLength: 6 }),
    fails: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 60 },
);

/** Plays the steps, and gives what each of them sees before it does its part. */
class Player extends KeyedProcessFunction<unknown, Step & { readonly id: number }, unknown> {
  readonly #clock: VirtualClock;
  readonly #seen: unknown[];
  #value!: ValueState<unknown>;
  #livingValue!: ValueState<unknown>;
  #list!: ListState<unknown>;
  #livingList!: ListState<unknown>;
  #map!: MapState<unknown, unknown>;
  #livingMap!: MapState<unknown, unknown>;
  #reducing!: ReducingState<string>;
  #aggregating!: AggregatingState<{ n: number }, number | null>;

  constructor(clock: VirtualClock, seen: unknown[]) {
    super();
    this.#seen = seen;
    this.#clock = clock;
  }

  override open(): void {
    const { state } = this.ctx;
    this.#value = state.value('value');
    this.#livingValue = state.value('living value', { ttlMs: 40 });
    this.#list = state.list('list');
    this.#livingList = state.list('living list', { ttlMs: 35.5 });
    this.#map = state.map('map');
    this.#livingMap = state.map('living map', { ttlMs: 50 });
    this.#reducing = state.reducing<string>('reducing', (a, b) => `${a}${b}`.slice(-20), { ttlMs: 100 });
    this.#aggregating = state.aggregating('aggregating', avg('n'));
  }

  execute({ id, key, passedMs, acts, fails }: Step & { readonly id: number }): void {
    this.#clock.advance(passedMs);
    const lists = [[...this.#list], [...this.#livingList]];
    const maps = [[...this.#map], [...this.#livingMap]];
    const sizes = [this.#list.length, this.#livingList.length, this.#map.size, this.#livingMap.size];
    this.#seen.push(structuredClone({ id, key, value: this.#value.get(), livingValue: this.#livingValue.get(), lists, maps, sizes, reducing: this.#reducing.get(), mean: this.#aggregating.get() }));
    // An attempt that is taken back must not change objects where they are.
    for (const one of acts) this.#act(one, !fails);
    if (fails) throw new Error('as wanted');
  }

  #act({ form, act, value }: Step['acts'][number], mayChangeInPlace: boolean): void {
    if (act === 'in place' && mayChangeInPlace) {
      for (const held of [this.#value.get(), ...this.#list, this.#map.get('x')]) if (isTexts(held)) held.texts.push('in place');
    }
    // What one state holds is not what another one holds: in memory they would share an object, on disk they do not.
    const own = structuredClone(value);
    switch (form) {
      case 'value':
      case 'living value': {
        const state = form === 'value' ? this.#value : this.#livingValue;
        if (act === 'write') state.set(own);
        else if (act !== 'read' && act !== 'in place') state.clear();
        break;
      }
      case 'list':
      case 'living list': {
        const state = form === 'list' ? this.#list : this.#livingList;
        if (act === 'write' || act === 'remove') state.add(own);
        else if (act === 'clear') state.clear();
        break;
      }
      case 'map':
      case 'living map': {
        const state = form === 'map' ? this.#map : this.#livingMap;
        const key = typeof value === 'number' ? value : isTexts(value) ? { n: value.n } : 'x';
        if (act === 'write') state.set(key, own);
        else if (act === 'remove') state.delete(key);
        else if (act === 'clear') state.clear();
        break;
      }
      case 'reducing':
        if (act === 'write') this.#reducing.add(String(typeof value));
        else if (act === 'clear') this.#reducing.clear();
        break;
      case 'aggregating':
        if (act === 'write' && typeof value === 'number') this.#aggregating.add({ n: value });
        else if (act === 'clear') this.#aggregating.clear();
        break;
    }
  }
}

const isTexts = (value: unknown): value is { n: number; texts: string[] } => typeof value === 'object' && value !== null && 'texts' in value;

async function played(all: readonly Step[], state: StateSettings): Promise<{ readonly seen: unknown[]; readonly gauges: Readonly<Record<string, Readonly<Record<number, number>>>> }> {
  const clock = new VirtualClock();
  const env = new LocalEnvironment('played', { clock, state });
  const seen: unknown[] = [];
  const records = all.map((step, id) => ({ ...step, id }));
  // One record a turn: each is a batch of its own, and its key has left memory when the next one comes.
  env
    .fromSource(async function* () {
      for (const record of records) {
        yield record;
        await new Promise(setImmediate);
      }
    })
    .keyBy(({ key }) => key)
    .process(new Player(clock, seen))
    .onError('skip')
    .sink([]);
  const { operators } = await env.submit({ autostop: true });
  return { seen, gauges: operators.find(({ name }) => name === 'process')!.metrics!.gauges };
}

it('a function sees the same in state on disk as in memory', async () => {
  let loaded = 0;
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(1, 2_000, 100_000), async (all, memoryBytes) => {
      // when
      const inMemory = await played(all, 'memory');
      const onDisk = await played(all, { kind: 'disk', memoryBytes });
      // then
      expect(inMemory.seen).toHaveLength(all.length);
      expect(onDisk.seen).toEqual(inMemory.seen);
      loaded += onDisk.gauges['state values loaded']?.[0] ?? 0;
    }),
    { numRuns: shareOfRuns(0.5) },
  );
  expect(loaded).toBeGreaterThan(0);
});
