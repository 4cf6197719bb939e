// Operators that have come to their end while others go on: what they had is in all later checkpoints, whatever the number of instances.
import { describe, expect, it, vi } from 'vitest';

import { readSavepoint } from '../../../ts/cli/savepoint/read-savepoint.ts';
import { count, type DataStream, END, FileSource, type Job, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, ProcessFunction, type Seekable, SinkFunction, SourceFunction, sum, type Transaction, type TransactionalSink, tumbling } from '../../../ts/index.ts';
import { Workplace } from './interrupted.ts';
import { linesOfParts } from './staged.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Item {
  readonly n: number;
  readonly k: number;
}

const RECORDS = 40;
/** The source that goes on has so many in each attempt; those of the last one are its last. */
const STEP = 20;
/** Instances of the attempts, each of which but the last writes a checkpoint. With one, operators share tasks that do not elsewhere. */
const PARALLELISM = [2, 3, 1, 2];
const ATTEMPTS = [...PARALLELISM.keys()];

const items: readonly Item[] = Array.from({ length: RECORDS }, (_, n) => ({ n, k: n % 5 }));

/** One attempt. In all but the last, what is held does not come to its end. */
class Attempt {
  readonly #index: number;
  readonly parallelism: number;
  readonly isLast: boolean;

  constructor(index: number) {
    this.#index = index;
    this.parallelism = PARALLELISM[index]!;
    this.isLast = index === PARALLELISM.length - 1;
  }

  /** A source that goes on: it rests behind some records of the attempt. */
  get source(): new () => SourceFunction<Item> & Seekable<number> {
    const [rest, isLast] = [STEP * (this.#index + 1), this.isLast];
    return class extends SourceFunction<Item> implements Seekable<number> {
      #next = 0;
      execute(): Item | typeof END | Promise<never> {
        if (this.#next === rest) return isLast ? END : new Promise(() => undefined);
        const n = 1000 + this.#next++;
        return { n, k: n % 5 };
      }
      position(): number {
        return this.#next;
      }
      seek(position: number): void {
        this.#next = position;
      }
    };
  }
}

/** A source in several instances, which has ended when the others go on. */
class Divided extends SourceFunction<Item> {
  protected next = -1;

  execute(): Item | typeof END {
    const { parallelIndex, parallelism } = this.ctx;
    this.next = this.next < 0 ? parallelIndex : this.next;
    const item = items[this.next];
    this.next += parallelism;
    return item ?? END;
  }
}

class DividedSeekable extends Divided implements Seekable<number> {
  position(): number {
    return this.next;
  }
  seek(position: number): void {
    this.next = position;
  }
}

/** Counts the records of each key, and says at the end of time how many there were. */
class Counts extends KeyedProcessFunction<number, Item, Counted> {
  execute(): void {
    this.ctx.state.value<number>('records', { default: 0 }).update((before) => before + 1);
    this.ctx.timers.eventTime(1e6);
  }
  override onTimer(): void {
    this.collect({ k: this.ctx.key, records: this.ctx.state.value<number>('records', { default: 0 }).get() });
  }
}

/** Says at its end how many there were. */
class Last extends ProcessFunction<Item, Item> {
  #records = 0;
  execute(): void {
    this.#records++;
  }
  override finish(): void {
    this.collect({ n: this.#records, k: 5 });
  }
}

interface Counted {
  readonly k: number;
  readonly records: number;
}

/** Rows that are visible, and the transactions that made them so. */
class Table {
  readonly rows: object[] = [];
  readonly asked: string[] = [];
  readonly #committed = new Set<string>();
  /** Nothing of the first attempt comes through. */
  isDown = true;

  commit(rows: readonly object[], { id }: Transaction): void | Promise<void> {
    this.asked.push(id);
    if (this.isDown) return new Promise(() => undefined);
    if (this.#committed.has(id)) return;
    this.#committed.add(id);
    this.rows.push(...rows);
  }
}

let table = new Table();

class TableSink extends SinkFunction<object> implements TransactionalSink<readonly object[]> {
  #rows: object[] = [];

  execute(row: object): void {
    this.#rows.push(row);
  }

  prepare(): readonly object[] | undefined {
    const rows = this.#rows;
    this.#rows = [];
    return rows.length === 0 ? undefined : rows;
  }

  commit(rows: readonly object[], transaction: Transaction): void | Promise<void> {
    return table.commit(rows, transaction);
  }
}

interface Build {
  /** `output` makes a directory for the parts of a sink. */
  (env: LocalEnvironment, attempt: Attempt, output: (name: string) => string, place: Workplace): void;
}

const written = (path: string): JsonLinesSink => new JsonLinesSink(path, { mkdir: true });

/** Results that do not depend on which source was faster. */
function totals(stream: DataStream<Item>, output: (name: string) => string): void {
  stream.keyBy('k').aggregate({ records: count(), total: sum('n') }).sink(written(output('totals')));
  stream.sink(written(output('copies')));
}

/** What has ended, together with what goes on: in tasks of their own, unless there is one instance. */
function withOthers(env: LocalEnvironment, attempt: Attempt, ended: DataStream<Item>, output: (name: string) => string): void {
  totals(ended.rebalance().union(env.fromSource(attempt.source)), output);
}

const timed = (stream: DataStream<Item>): DataStream<Item> => stream.assignTimestamps(({ n }) => n, { outOfOrdernessMs: RECORDS });

const asItem = ({ k, records }: Counted): Item => ({ n: records, k });

/** Each has an operator 'ends' that ends at once, and something that goes on, with which it shares a task where there is one instance. */
const builds: Readonly<Record<string, (env: LocalEnvironment, parallelism: number, place: Workplace) => DataStream<Item>>> = {
  'a collection': (env) => env.fromCollection(items).uid('ends'),
  'a source that knows its position': (env, parallelism) => env.fromSource(DividedSeekable).parallelism(parallelism).uid('ends'),
  'a source whose records are counted': (env, parallelism) => env.fromSource(Divided).parallelism(parallelism).uid('ends'),
  'a file': (env, _, place) => env.fromSource(FileSource.jsonLines<Item>(place.path('items.jsonl'))).uid('ends'),
  'a process function that has given its results': (env) => timed(env.fromCollection(items)).keyBy('k').process(Counts).uid('ends').map(asItem),
  'an aggregate that has given its results': (env) => env.fromCollection(items).keyBy('k').aggregate({ records: count() }).uid('ends').map(({ records }) => ({ n: records, k: 1 })),
  'an aggregate of everything that has given its result': (env) => env.fromCollection(items).aggregate({ records: count(), total: sum('n') }).uid('ends').map(({ records, total }) => ({ n: total, k: records })),
  'a reduce of everything that has given its result': (env) => env.fromCollection(items).reduce((a, b) => ({ n: a.n + b.n, k: 6 })).uid('ends'),
  'a function that has given its last results': (env) => env.fromCollection(items).parallelism(1).process(Last).parallelism(1).uid('ends'),
  'a reduce that has given its results': (env) => env.fromCollection(items).keyBy('k').reduce((a, b) => ({ n: a.n + b.n, k: a.k })).uid('ends'),
  'windows that have given their results': (env) => timed(env.fromCollection(items)).keyBy('k').window(tumbling(10)).aggregate({ records: count() }).uid('ends').map(({ records }) => ({ n: records, k: 2 })),
  'a limit that has given all it may': (env) => env.fromCollection(items).limit(7).uid('ends').map(() => ({ n: 1, k: 3 })),
  'records with numbers': (env) => env.fromCollection(items).zipWithIndex().uid('ends').map(([item]) => item),
  'batches': (env) => env.fromCollection(items).keyBy('k').batch({ max: 3 }).uid('ends').flatMap((batch) => batch),
  'calls that have come back': (env) => env.fromCollection(items).mapAsync((item) => Promise.resolve(item), { concurrency: 4 }).uid('ends'),
};

/** Waits for a checkpoint that knows that all instances of 'ends' have ended. */
async function untilEnded(job: Job, dir: string): Promise<void> {
  await expect.poll(async () => {
    await job.checkpoint();
    const { parallelism, finished } = readSavepoint(dir).metadata?.operators?.['ends'] ?? { parallelism: 0, finished: [] };
    return parallelism > 0 && finished.length === parallelism;
  }, { timeout: 10_000 }).toBe(true);
}

/** Runs the attempts, each from the checkpoint of the one before; or only the last one, from the beginning. Returns the lines of each output. */
async function results(build: Build, attempts: readonly number[]): Promise<Readonly<Record<string, readonly string[]>>> {
  using place = new Workplace();
  place.write('items.jsonl', items);
  const [dir, outputs] = [place.path('checkpoints'), new Set<string>()];
  for (const index of attempts) {
    const attempt = new Attempt(index);
    const env = new LocalEnvironment('finished', { parallelism: attempt.parallelism, checkpoint: { dir } });
    build(env, attempt, (name) => (outputs.add(name), `${place.path(name)}/`), place);
    const job = await env.submit({ from: 'latest' });
    if (attempt.isLast) await job.completion;
    else {
      await untilEnded(job, dir);
      await job.cancel();
    }
  }
  return Object.fromEntries([...outputs].map((name) => [name, linesOfParts(place, name)]));
}

describe(`an operator that has ended while others go on, with ${PARALLELISM.join(', then ')} instances`, () => {
  it.each(Object.entries(builds))('given %s, when the job is ended behind checkpoints and goes on again and again, then the results are those of an undisturbed run', async (_what, stream) => {
    const build: Build = (env, attempt, output, place) => withOthers(env, attempt, stream(env, attempt.parallelism, place), output);
    const undisturbed = await results(build, ATTEMPTS.slice(-1));
    expect(Object.values(undisturbed).flat().length).toBeGreaterThan(0);
    expect(await results(build, ATTEMPTS)).toEqual(undisturbed);
  });

  it('given a transactional sink whose last commits have not come to their end, when the job is ended behind checkpoints and goes on again and again, then each row is there once', async () => {
    table = new Table();
    let attempts = 0;
    await results((env, attempt, output) => {
      table.isDown = attempts++ === 0;
      if (attempt.isLast) table.asked.length = 0;
      env.fromCollection(items).sink(TableSink).uid('ends');
      env.fromSource(attempt.source).sink(written(output('goes on')));
    }, ATTEMPTS);
    expect(table.rows.map((row) => (row as Item).n).toSorted((a, b) => a - b)).toEqual(items.map(({ n }) => n));
    // The last attempt still knows of both: nobody can tell whether the one before came to commit them.
    expect(new Set(table.asked).size).toBe(PARALLELISM[0]);
  });

  it.each([1, 2])('given a source that is new in front of it, when the job is to go on with %i instances, then that is refused: nobody would see its records', async (parallelism) => {
    using place = new Workplace();
    const environment = (): LocalEnvironment => new LocalEnvironment('grown', { parallelism, checkpoint: { dir: place.path('checkpoints') } });
    const before = environment();
    before.fromCollection(items).uid('old').map(({ n }) => n).uid('ends').sink([]).uid('sink');
    await before.submit({ autostop: true });
    const after = environment();
    after.fromCollection(items).uid('old').union(after.fromCollection(items).uid('new')).map(({ n }) => n).uid('ends').sink([]).uid('sink');
    await expect(after.submit({ from: 'latest', autostop: true })).rejects.toMatchObject({ code: 'SAGE_CHECKPOINT_RESCALE' });
  });
});
