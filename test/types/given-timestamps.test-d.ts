// What types the streams of sources have that give timestamps; checked by tsc, never run.
import { expectTypeOf } from 'vitest';
import type { DataStream } from '../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';
import { BatchFunction } from '../../ts/functions/batch-function.ts';
import { END, SourceFunction } from '../../ts/functions/source-function.ts';
import { type Timestamped, timestamped } from '../../ts/functions/timestamped.ts';

interface Reading {
  readonly sensor: string;
}

const env = new LocalEnvironment('types');
const reading: Reading = { sensor: 'a' };
const options = { timestamps: { outOfOrdernessMs: 0 } };

expectTypeOf(timestamped(reading, 1)).toEqualTypeOf<Timestamped<Reading>>();
expectTypeOf(env.fromCollection([timestamped(reading, 1)], options)).toEqualTypeOf<DataStream<Reading>>();
expectTypeOf(env.fromBatch(new Set([timestamped(reading, new Date())]), options)).toEqualTypeOf<DataStream<Reading>>();
expectTypeOf(env.fromSource([timestamped(reading, 1)], { ...options, unbounded: true })).toEqualTypeOf<DataStream<Reading>>();

function* readings(from: number): Generator<Timestamped<Reading>> {
  yield timestamped(reading, from);
}
expectTypeOf(env.fromSource(readings, 5, options)).toEqualTypeOf<DataStream<Reading>>();
// @ts-expect-error -- the generator needs a number
env.fromSource(readings, options);
expectTypeOf(env.fromStream(async function* () { yield timestamped(reading, 1); }, options)).toEqualTypeOf<DataStream<Reading>>();
expectTypeOf(env.fromSource(() => (Math.random() > 1 ? timestamped(reading, 1) : END), options)).toEqualTypeOf<DataStream<Reading>>();

class Readings extends SourceFunction<Timestamped<Reading>> {
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
  }
  async execute(): Promise<Timestamped<Reading> | undefined> {
    return timestamped({ sensor: this.url }, 1);
  }
}
class Batch extends BatchFunction<Timestamped<number>> {
  execute(): Timestamped<number> | null {
    return null;
  }
}
expectTypeOf(env.fromSource(Readings, 'url', options)).toEqualTypeOf<DataStream<Reading>>();
expectTypeOf(env.fromSource(new Readings('url'), options)).toEqualTypeOf<DataStream<Reading>>();
expectTypeOf(env.fromBatch(Batch, options)).toEqualTypeOf<DataStream<number>>();
// Without the option the timestamps are part of the records: the types say so.
expectTypeOf(env.fromSource(Readings, 'url')).toEqualTypeOf<DataStream<Timestamped<Reading>>>();
// @ts-expect-error -- records without a timestamp
env.fromSource([reading], options);
// @ts-expect-error -- how far out of order is needed
env.fromSource([timestamped(reading, 1)], { timestamps: {} });
// @ts-expect-error -- they are milliseconds or dates
env.fromSource([timestamped(reading, 1)], { timestamps: { outOfOrdernessMs: 0, unit: 's' } });
// @ts-expect-error -- a text is no timestamp
timestamped(reading, '2026-01-01');
