// Savepoints of jobs that have no checkpoints: one file, and nothing else on disk.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { END, type EnvironmentConfig, FileSource, JsonLinesSink, KeyedProcessFunction, LocalEnvironment, type Logger, type Seekable, SinkFunction, SourceFunction, type Transaction, type TransactionalSink } from '../../../ts/index.ts';
import { runScript } from '../support/run-script.ts';
import { Workplace } from './interrupted.ts';
import { environment, EXPECTED, KEYS, Numbered, numbersWith, RECORDS, Rests, written } from './numbered.ts';

const script = fileURLToPath(new URL('scripts/savepoint-script.ts', import.meta.url));
const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

describe('job.savepoint(path) without checkpoints', () => {
  it('given a job that runs, when it is called, then one file is there, and the job goes on to its end', async () => {
    using place = new Workplace();
    const rests = new Rests(100, 300);
    const job = await environment(place, undefined, rests).submit();
    await rests.reached(100);
    expect(await job.savepoint(place.path('saved/first'))).toMatchObject({ path: place.path('saved/first'), epoch: 1, bytes: expect.any(Number) as unknown });
    rests.goOn(100);
    await rests.reached(300);
    await Promise.all([job.savepoint(place.path('saved/second')), job.savepoint(place.path('saved/third'))]);
    expect(readdirSync(place.path('saved')).toSorted()).toEqual(['first', 'second', 'third']);
    rests.goOn(300);
    expect(await job.completion).toMatchObject({ status: 'finished', recordsIn: RECORDS });
    expect(job.metrics().checkpoints).toBeUndefined();
    expect(written(place)).toEqual(EXPECTED);
    await expect(job.savepoint(place.path('late'))).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
  });

  it.each([1, 3])('given a job that was cancelled behind it, when one goes on from the file with %i instances, then its result is the undisturbed one', async (parallelism) => {
    using place = new Workplace();
    const rests = new Rests(250, 400);
    const job = await environment(place, undefined, rests, { parallelism: 2 }).submit();
    await rests.reached(250);
    await job.savepoint(place.path('first'));
    rests.goOn(250);
    await rests.reached(400);
    await job.cancel();
    const again = await environment(place, undefined, new Rests(), { parallelism }).submit({ from: place.path('first') });
    expect(again.metrics().checkpoints?.restoredEpoch).toBe(1);
    expect(await again.completion).toMatchObject({ status: 'finished', recordsIn: RECORDS - 250 });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a savepoint of such a job, when a job with checkpoints goes on from it, and the other way round, then nothing is lost or there twice', async () => {
    using place = new Workplace();
    const first = await start(place, undefined, 100);
    await first.stop({ savepoint: place.path('first') });
    const rests = new Rests(200);
    const second = await environment(place, 'checkpoints', rests).submit({ from: place.path('first') });
    await rests.reached(200);
    await second.checkpoint();
    await second.stop({ savepoint: place.path('second') });
    const third = await environment(place, undefined, new Rests()).submit({ from: place.path('second') });
    expect(await third.completion).toMatchObject({ recordsIn: RECORDS - 200 });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a restart strategy that has fired, when a savepoint is written behind that, then it is whole; and a job that fails behind it begins anew', async () => {
    using place = new Workplace();
    let calls = 0;
    const build = (rests: Rests, failAt: readonly number[]): LocalEnvironment => {
      const env = new LocalEnvironment('failing', { logger: quiet, restart: { kind: 'fixed', attempts: 2, delayMs: 1 } });
      const fail = new Set(failAt);
      env.fromSource(numbersWith(rests)).uid('numbers').map((n) => {
        if (fail.delete(++calls)) throw new Error('it was to fail here');
        return n;
      }).keyBy((n) => n % KEYS).process(Numbered).uid('numbered').sink(new JsonLinesSink(place.path('out-{part}.jsonl')), { uid: 'out' });
      return env;
    };
    const rests = new Rests(300);
    // The second attempt saves at 300, and fails at 400; the third begins anew.
    const job = await build(rests, [200, 200 + 400]).submit();
    await rests.reached(300);
    await job.savepoint(place.path('saved'));
    rests.goOn(300);
    expect(await job.completion).toMatchObject({ status: 'finished', restarts: 2, recordsIn: RECORDS });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a job that goes on from a savepoint and fails, when it is started again, then it goes on from there once more', async () => {
    using place = new Workplace();
    await (await start(place, undefined, 300)).stop({ savepoint: place.path('saved') });
    let left = 100;
    const env = new LocalEnvironment('numbered', { logger: quiet, restart: { kind: 'fixed', attempts: 1, delayMs: 1 } });
    env.fromSource(numbersWith(new Rests())).uid('numbers').map((n) => {
      if (--left === 0) throw new Error('it was to fail here');
      return n;
    }).keyBy((n) => n % KEYS).process(Numbered).uid('numbered').sink(new JsonLinesSink(place.path('out-{part}.jsonl')), { uid: 'out' });
    const again = await env.submit({ from: place.path('saved') });
    expect(await again.completion).toMatchObject({ status: 'finished', restarts: 1, recordsIn: RECORDS - 300 });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a source without end that cannot go on, when it is called, then the error names it, and the job goes on', async () => {
    using place = new Workplace();
    const env = new LocalEnvironment('endless');
    env.fromSource(() => undefined, { unbounded: true }).named('clock').sink([]);
    const job = await env.submit();
    const refused = { code: 'SAGE_CHECKPOINT_SOURCE', message: expect.stringContaining("'clock'") as unknown };
    await expect(job.savepoint(place.path('first'))).rejects.toMatchObject(refused);
    await expect(job.stop({ savepoint: place.path('first') })).rejects.toMatchObject(refused);
    expect(job.status).toBe('running');
    expect(await job.stop()).toMatchObject({ status: 'stopped' });
    expect(place.names('first')).toEqual([]);
  });

  it('given state that cannot be saved, when it is called, then it says so, the job goes on, and one behind it is written', async () => {
    using place = new Workplace();
    class Keeping extends KeyedProcessFunction<number, number, number> {
      execute(n: number): void {
        this.ctx.state.value('kept').set(n < 100 ? () => n : n);
        this.collect(n);
      }
    }
    const out: number[] = [];
    const rests = new Rests(100, 200);
    const env = new LocalEnvironment('keeping');
    env.fromSource(numbersWith(rests)).keyBy((n) => n % KEYS).process(Keeping).sink(out);
    const job = await env.submit();
    await rests.reached(100);
    await expect(job.savepoint(place.path('first'))).rejects.toMatchObject({ code: 'SAGE_STATE_VALUE' });
    rests.goOn(100);
    await rests.reached(200);
    await job.savepoint(place.path('second'));
    expect(place.names('first')).toEqual([]);
    rests.goOn(200);
    expect(await job.completion).toMatchObject({ status: 'finished' });
    expect(out).toHaveLength(RECORDS);
  });

  it("given 'latest', or a job that gets instances while it runs, when there is no directory, then it is refused", async () => {
    using place = new Workplace();
    await expect(environment(place, undefined, new Rests()).submit({ from: 'latest' })).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
    await expect(environment(place, undefined, new Rests()).submit({ from: place.path('none') })).rejects.toMatchObject({ code: 'SAGE_IO_NOT_FOUND' });
  });
});

describe('stop({ savepoint }) without checkpoints', () => {
  it.each([1, 3])('given a job with two instances, when it was stopped so, then another goes on from the file with %i, to the same files', async (parallelism) => {
    using place = new Workplace();
    const job = await start(place, undefined, 300, { parallelism: 2 });
    expect(await job.stop({ savepoint: place.path('deep/last') })).toMatchObject({ status: 'stopped', recordsIn: 300 });
    expect(readdirSync(place.path('deep'))).toEqual(['last']);
    expect(written(place)).toHaveLength(300);
    const again = await environment(place, undefined, new Rests(), { parallelism }).submit({ from: place.path('deep/last') });
    expect(await again.completion).toMatchObject({ status: 'finished', recordsIn: 300 });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given an earlier savepoint, when the job is stopped without, then it stops as it would have, and what it wrote is there', async () => {
    using place = new Workplace();
    const job = await start(place, undefined, 300);
    await job.savepoint(place.path('first'));
    expect(await job.stop()).toMatchObject({ status: 'stopped', recordsIn: 300 });
    expect(written(place)).toHaveLength(300);
    expect(place.names('')).toEqual(['first', 'out-00000.jsonl']);
  });

  it('given a job of files alone, whose work is in the core, when it was stopped so, then another goes on from the file', async () => {
    using place = new Workplace();
    const lines = Array.from({ length: 200_000 }, (_, n) => ({ n }));
    const input = place.write('in.jsonl', lines);
    const build = (): LocalEnvironment => {
      const env = new LocalEnvironment('files');
      env.fromSource(FileSource.jsonLines<{ n: number }>(input)).uid('in').filter(({ n }) => n >= 0).sink(new JsonLinesSink(place.path('out.jsonl')), { uid: 'out' });
      return env;
    };
    const job = await build().submit();
    await expect.poll(() => job.metrics().operators[0]!.recordsOut, { interval: 1 }).toBeGreaterThan(0);
    const { recordsIn, status } = await job.stop({ savepoint: place.path('last') }).catch((error: { code: string }) => ({ recordsIn: lines.length, status: error.code }));
    // A fast machine may have read all of it.
    if (status === 'stopped') {
      const again = await build().submit({ from: place.path('last') });
      expect(await again.completion).toMatchObject({ recordsIn: lines.length - recordsIn });
    } else expect(status).toBe('SAGE_JOB_STATE');
    expect(place.read('out.jsonl', true)).toBe(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });

  it('given a file that comes to its place meanwhile, when it cannot be written, then the job has failed, and nothing of it is there', async () => {
    using place = new Workplace();
    const job = await start(place, undefined, 300);
    const stopped = job.stop({ savepoint: place.path('last') });
    writeFileSync(place.path('last'), 'mine');
    await expect(stopped).rejects.toMatchObject({ code: 'SAGE_IO_EXISTS' });
    expect([job.status, place.read('last', true), written(place)]).toEqual(['failed', 'mine', []]);
  });

  it('given a source that has given records at once and waits for one, further than what it gave, when it was stopped so, then nothing is lost or there twice', async () => {
    using place = new Workplace();
    const arrived = Promise.withResolvers<void>();
    const build = (out: number[], waits: boolean): LocalEnvironment => {
      /** Is one further as soon as it is asked for a record that it has to wait for. */
      class Eager extends SourceFunction<number> implements Seekable<{ next: number }> {
        #next = 0;
        execute(): number | typeof END | Promise<number> {
          if (this.#next === 1000) return END;
          const n = this.#next++;
          return n % 10 === 9 ? (waits && n === 499 ? new Promise<number>(() => undefined) : Promise.resolve(n)) : n;
        }
        position(): { next: number } {
          return { next: this.#next };
        }
        seek({ next }: { next: number }): void {
          this.#next = next;
        }
      }
      const env = new LocalEnvironment('eager');
      env.fromSource(Eager).uid('eager').sink((n) => {
        out.push(n);
        if (n === 498) arrived.resolve();
      }, { uid: 'out' });
      return env;
    };
    const out: number[] = [];
    const job = await build(out, true).submit();
    await arrived.promise;
    await job.stop({ savepoint: place.path('last') });
    const again = await build(out, false).submit({ from: place.path('last') });
    await again.completion;
    expect(out).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });
});

describe('a job without checkpoints in worker threads', () => {
  it('given two of them, when it was stopped with a savepoint, then another process goes on from it with three, and each record is there once', { timeout: 180_000 }, async () => {
    using place = new Workplace();
    const rows = Array.from({ length: 100_000 }, (_, n) => ({ n }));
    const input = place.write('in.jsonl', rows);
    const [out, last] = [`${place.path('out')}/`, place.path('last')];
    const run = async (savepoint: string, from: string, instances: number): Promise<{ status: string; recordsIn: number; workers: number }> => {
      const { stdout, stderr } = await runScript(script, [input, out, savepoint, from, String(instances)]);
      expect(stderr).toBe('');
      return JSON.parse(stdout) as { status: string; recordsIn: number; workers: number };
    };
    const first = await run(last, '', 2);
    expect(first.status).toBe('stopped');
    const second = await run('', last, 3);
    expect(second).toMatchObject({ status: 'finished', recordsIn: rows.length - first.recordsIn });
    expect(Math.min(first.workers, second.workers)).toBeGreaterThan(0);
    expect(first.recordsIn).toBeGreaterThan(0);
    const lines = place.namesIn('out', 'part').flatMap((name) => place.read(`out/${name}`, true).split('\n').filter((line) => line !== ''));
    const written = lines.map((line) => JSON.parse(line) as { n: number; nth: number });
    // Each record once. The instances of the source read the file in pieces, so that each key may count them in any order, but none twice.
    const numbers = new Set(written.map(({ n }) => n));
    const places = new Set(written.map(({ n, nth }) => `${n % 11}: ${nth}`));
    expect([written.length, numbers.size, places.size]).toEqual([rows.length, rows.length, rows.length]);
    expect(written.filter(({ n, nth }) => n >= rows.length || nth < 1 || nth > Math.ceil((rows.length - (n % 11)) / 11))).toEqual([]);
  });
});

describe('transactional sinks of a job without checkpoints', () => {
  /** What is visible, by transaction. */
  class Table {
    readonly ids = new Set<string>();
    readonly rows: number[] = [];
  }
  const tables = new Map<string, Table>();
  class Rows extends SinkFunction<number> implements TransactionalSink<readonly number[]> {
    readonly #table: Table;
    #rows: number[] = [];
    constructor(name: string) {
      super();
      this.#table = tables.get(name)!;
    }
    execute(n: number): void {
      this.#rows.push(n);
    }
    prepare(): readonly number[] {
      return this.#rows.splice(0);
    }
    commit(rows: readonly number[], { id }: Transaction): void {
      if (this.#table.ids.has(id)) return;
      this.#table.ids.add(id);
      this.#table.rows.push(...rows);
    }
    abort(): void {
      this.#rows = [];
    }
  }
  const all = Array.from({ length: RECORDS }, (_, n) => n);

  function job(name: string, rests: Rests, config: EnvironmentConfig = {}): LocalEnvironment {
    const env = new LocalEnvironment('rows', config);
    env.fromSource(numbersWith(rests)).uid('numbers').sink(Rows, { args: [name], uid: 'rows' });
    return env;
  }

  it('given a savepoint while the job goes on, when it is written, then nothing is committed before the end', async () => {
    using place = new Workplace();
    const table = new Table();
    tables.set('goes on', table);
    const rests = new Rests(100);
    const running = await job('goes on', rests).submit();
    await rests.reached(100);
    await running.savepoint(place.path('first'));
    expect(table.rows).toEqual([]);
    rests.goOn(100);
    await running.completion;
    expect([table.rows, table.ids.size]).toEqual([all, 2]);
  });

  it.each(['cancel', 'stop'] as const)('given a savepoint and %s behind it, when another job goes on from it, then each row is there once', async (verb) => {
    using place = new Workplace();
    const table = new Table();
    tables.set(verb, table);
    const rests = new Rests(100, 200);
    const first = await job(verb, rests).submit();
    await rests.reached(100);
    if (verb === 'cancel') {
      await first.savepoint(place.path('saved'));
      rests.goOn(100);
      await rests.reached(200);
      await first.cancel();
      expect(table.rows).toEqual([]);
    } else {
      await first.stop({ savepoint: place.path('saved') });
      expect(table.rows).toHaveLength(100);
    }
    await (await job(verb, new Rests()).submit({ from: place.path('saved') })).completion;
    expect(table.rows.toSorted((a, b) => a - b)).toEqual(all);
  });

  it('given so many savepoints that too much would wait for the end, when one more is asked for, then it is refused, and the job goes on', async () => {
    using place = new Workplace();
    const table = new Table();
    tables.set('many', table);
    const rests = new Rests(100);
    const running = await job('many', rests).submit();
    await rests.reached(100);
    for (let n = 0; n < 50; n++) await running.savepoint(place.path(`saved-${n}`));
    await expect(running.savepoint(place.path('one more'))).rejects.toMatchObject({ code: 'SAGE_JOB_STATE', help: expect.stringContaining('checkpoint') as unknown });
    expect(existsSync(place.path('one more'))).toBe(false);
    rests.goOn(100);
    await running.completion;
    expect(table.rows).toEqual(all);
  });
});

/** A job that has given so many records, and waits. */
async function start(place: Workplace, checkpoints: string | undefined, at: number, config?: EnvironmentConfig): ReturnType<LocalEnvironment['submit']> {
  const rests = new Rests(at);
  const job = await environment(place, checkpoints, rests, config).submit();
  await rests.reached(at);
  return job;
}
