// Files of each format, read and written by jobs that are cancelled, fail or are stopped, and go on.
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { ArrowSink, CsvSink, FileSource, JsonLinesSink, JsonSink, LocalEnvironment, ParquetSink, type Sink } from '../../../ts/index.ts';
import { recordsOf } from '../support/run-to-array.ts';
import { type Ending, interrupted, Workplace } from './interrupted.ts';

interface Row {
  readonly n: number;
  readonly text: string;
}

const RECORDS = 20_000;
const rows: readonly Row[] = Array.from({ length: RECORDS }, (_, n) => ({ n, text: n % 7 === 0 ? `a "quoted"\nline, ${n}` : `row ${n}` }));
const byNumber = (a: Row, b: Row): number => a.n - b.n;

const csvOf = (part: readonly Row[]): string => `n,text\n${part.map(({ n, text }) => `${n},"${text.replaceAll('"', '""')}"\n`).join('')}`;

/** Writes the rows, and gives the source that reads them. */
const sources: Readonly<Record<string, (place: Workplace) => FileSource<Row> | Promise<FileSource<Row>>>> = {
  CSV(place) {
    writeFileSync(place.path('in.csv'), csvOf(rows));
    return FileSource.csv<Row>(place.path('in.csv'));
  },
  'compressed CSV'(place) {
    for (const [index, from] of [0, RECORDS / 2].entries()) writeFileSync(place.path(`in-${index}.csv.gz`), gzipSync(csvOf(rows.slice(from, from + RECORDS / 2))));
    return FileSource.csv<Row>([place.path('in-0.csv.gz'), place.path('in-1.csv.gz')]);
  },
  'lines of JSON': (place) => FileSource.jsonLines<Row>(place.write('in.jsonl', rows)),
  'a JSON array'(place) {
    writeFileSync(place.path('in.json'), JSON.stringify(rows));
    return FileSource.json<Row>(place.path('in.json'));
  },
  async Parquet(place) {
    await writeOnce(new ParquetSink(place.path('in.parquet'), { rowGroupRows: 700 }));
    return FileSource.parquet<Row>(place.path('in.parquet'));
  },
  async Arrow(place) {
    await writeOnce(new ArrowSink(place.path('in.arrow')));
    return FileSource.arrow<Row>(place.path('in.arrow'));
  },
};

async function writeOnce(sink: Sink<Row>): Promise<void> {
  const env = new LocalEnvironment('write');
  env.fromCollection(rows).sink(sink);
  await env.submit({ autostop: true });
}

interface Output {
  readonly sink: (place: Workplace) => Sink<Row>;
  readonly read: (place: Workplace) => FileSource<Row>;
  /** Several instances can write it. */
  readonly isDivided?: true;
}

const outputs: Readonly<Record<string, Output>> = {
  'lines of JSON': { sink: (place) => new JsonLinesSink(place.path('out.jsonl')), read: (place) => FileSource.jsonLines<Row>(place.path('out.jsonl')) },
  'compressed lines': { sink: (place) => new JsonLinesSink(place.path('out.jsonl.gz')), read: (place) => FileSource.jsonLines<Row>(place.path('out.jsonl.gz')) },
  'lines that are appended': { sink: (place) => new JsonLinesSink(place.path('out.jsonl'), { append: true }), read: (place) => FileSource.jsonLines<Row>(place.path('out.jsonl')) },
  CSV: { sink: (place) => new CsvSink(place.path('out.csv')), read: (place) => FileSource.csv<Row>(place.path('out.csv')) },
  'CSV that is appended': { sink: (place) => new CsvSink(place.path('out.csv'), { append: true }), read: (place) => FileSource.csv<Row>(place.path('out.csv')) },
  'a JSON array': { sink: (place) => new JsonSink(place.path('out.json')), read: (place) => FileSource.json<Row>(place.path('out.json')) },
  Parquet: { sink: (place) => new ParquetSink(place.path('out.parquet')), read: (place) => FileSource.parquet<Row>(place.path('out.parquet')) },
  Arrow: { sink: (place) => new ArrowSink(place.path('out.arrow')), read: (place) => FileSource.arrow<Row>(place.path('out.arrow')) },
  'a directory of lines': { sink: (place) => new JsonLinesSink(`${place.path('out')}/`, { mkdir: true }), read: (place) => FileSource.jsonLines<Row>(`${place.path('out')}/`), isDivided: true },
  'a directory of Parquet in parts': { sink: (place) => new ParquetSink(`${place.path('out')}/`, { mkdir: true, maxFileRows: 3000 }), read: (place) => FileSource.parquet<Row>(`${place.path('out')}/`), isDivided: true },
  'a directory that is replaced': { sink: (place) => new CsvSink(`${place.path('out')}/`, { mkdir: true, existing: 'replace' }), read: (place) => FileSource.csv<Row>(`${place.path('out')}/`), isDivided: true },
};

interface Run {
  readonly seed: number;
  readonly endings: readonly Ending[];
  readonly parallelism?: readonly number[];
}

/** Runs it with interruptions: the rows of what was written, and how often a run went on from a checkpoint. */
async function run(place: Workplace, source: FileSource<Row>, { sink, read }: Output, { seed, endings, parallelism = [1] }: Run): Promise<{ readonly written: Row[]; readonly resumed: number }> {
  const { resumed } = await interrupted(
    (env, _out, touch) => {
      env.fromSource(source).map((row) => (touch(), { n: row.n, text: row.text })).sink(sink(place));
    },
    '',
    { dir: place.path('checkpoints'), seed, parallelism, records: RECORDS / 3, attempts: 4, endings },
  );
  return { written: await recordsOf((env) => env.fromSource(read(place)), { parallelism: 1 }), resumed };
}

describe.each(Object.keys(sources))('a source of %s', (name) => {
  it.each(['lines of JSON', 'Parquet'])('given that it is cancelled or fails at random moments, when it has ended, then %s have each record once, in order', async (format) => {
    let goneOn = 0;
    for (const seed of [1, 2]) {
      using place = new Workplace();
      const { written, resumed } = await run(place, await sources[name]!(place), outputs[format]!, { seed, endings: ['cancel', 'fail'] });
      expect(written).toEqual(rows);
      expect(place.hidden()).toEqual([]);
      goneOn += resumed;
    }
    expect(goneOn).toBeGreaterThan(0);
  });

  it('given one instance, then three, then two, when it has ended, then each record is in the files once', async () => {
    using place = new Workplace();
    const { written, resumed } = await run(place, await sources[name]!(place), outputs['a directory of lines']!, { seed: 5, endings: ['cancel'], parallelism: [1, 3, 2] });
    expect(written.toSorted(byNumber)).toEqual(rows);
    expect(resumed).toBeGreaterThan(0);
  });
});

describe.each(Object.entries(outputs))('a sink of %s', (_name, output) => {
  it('given that it is stopped, cancelled or fails at random moments, when it has ended, then each record is there once, in order', async () => {
    let goneOn = 0;
    for (const seed of [1, 2, 3]) {
      using place = new Workplace();
      const { written, resumed } = await run(place, sources['lines of JSON']!(place) as FileSource<Row>, output, { seed, endings: ['stop', 'stop', 'cancel', 'fail'] });
      expect(written).toEqual(rows);
      expect(place.hidden()).toEqual([]);
      goneOn += resumed;
    }
    expect(goneOn).toBeGreaterThan(0);
  });

  it.runIf(output.isDivided)('given that it is stopped and goes on with other parallelisms, when it has ended, then each record is there once', async () => {
    for (const seed of [1, 2]) {
      using place = new Workplace();
      const { written } = await run(place, sources['lines of JSON']!(place) as FileSource<Row>, output, { seed, endings: ['stop', 'stop', 'cancel'], parallelism: [2, 1, 4, 3] });
      expect(written.toSorted(byNumber)).toEqual(rows);
      expect(place.hidden()).toEqual([]);
    }
  });
});

/** Takes so long that the job is not over before it is stopped. */
function slowly(row: Row): Row {
  const until = performance.now() + 0.02;
  while (performance.now() < until);
  return row;
}

describe('a job that was stopped', () => {
  it('given its file, when it goes on, then the file is there until it has more', async () => {
    using place = new Workplace();
    const source = FileSource.jsonLines<Row>(place.write('in.jsonl', rows));
    const out = place.path('out.jsonl');
    const submit = async (onRow: (row: Row) => void) => {
      const env = new LocalEnvironment('stopped', { checkpoint: { dir: place.path('checkpoints') } });
      env.fromSource(source).map((row) => (onRow(row), slowly(row))).sink(new JsonLinesSink(out));
      return env.submit({ from: 'latest' });
    };
    const begun = Promise.withResolvers<void>();
    const first = await submit(({ n }) => n === 100 && begun.resolve());
    await begun.promise;
    await first.stop();
    const before = place.read('out.jsonl', true);
    expect(before.length).toBeGreaterThan(0);
    const goneOn = Promise.withResolvers<void>();
    const second = await submit(() => goneOn.resolve());
    await goneOn.promise;
    await second.cancel();
    expect(place.read('out.jsonl', true)).toBe(before);
    const third = await submit(() => undefined);
    await third.completion;
    expect(place.read('out.jsonl', true)).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    expect(place.hidden()).toEqual([]);
  });

  it('given that its file is gone, when it goes on, then it says so and what to do', async () => {
    using place = new Workplace();
    const source = FileSource.jsonLines<Row>(place.write('in.jsonl', rows));
    const submit = async (onRow: (row: Row) => void) => {
      const env = new LocalEnvironment('stopped', { checkpoint: { dir: place.path('checkpoints') } });
      env.fromSource(source).map((row) => (onRow(row), slowly(row))).sink(new JsonLinesSink(place.path('out.jsonl')));
      return env.submit({ from: 'latest' });
    };
    const begun = Promise.withResolvers<void>();
    const first = await submit(({ n }) => n === 100 && begun.resolve());
    await begun.promise;
    await first.stop();
    place.remove('out.jsonl');
    const second = await submit(() => undefined);
    await expect(second.completion).rejects.toMatchObject({ code: 'SAGE_CHECKPOINT_SINK', message: expect.stringContaining('out.jsonl') as string });
  });
});

describe('a source that cannot be read twice', () => {
  it('given the standard input, when a job with checkpoints is made, then it is refused', async () => {
    using place = new Workplace();
    const env = new LocalEnvironment('piped', { checkpoint: { dir: place.path('checkpoints') } });
    env.fromSource(FileSource.textLines('-')).sink([]);
    await expect(env.submit()).rejects.toMatchObject({ code: 'SAGE_CHECKPOINT_SOURCE' });
  });
});
