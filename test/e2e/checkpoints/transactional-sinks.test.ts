// Sinks that prepare at a checkpoint, and commit when it is safe.
import { describe, expect, it, vi } from 'vitest';

import { LocalEnvironment, type Logger, SinkFunction, type Transaction, type TransactionalSink } from '../../../ts/index.ts';
import { type Build, type Ending, interrupted, Workplace } from './interrupted.ts';

const RECORDS = 1500;
const numbers = Array.from({ length: RECORDS }, (_, n) => n);
const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

/** What is outside of the job: rows that are visible, by the transaction that made them so. */
class Table {
  readonly commits: Transaction[] = [];
  readonly rows: number[] = [];
  readonly calls: string[] = [];
  /** Awaited, or thrown, by each commit before it does anything. */
  beforeCommit: (transaction: Transaction, isLast: boolean) => void | Promise<void> = () => undefined;

  commit(rows: readonly number[], transaction: Transaction): void {
    if (this.commits.some(({ id }) => id === transaction.id)) return;
    this.commits.push(transaction);
    this.rows.push(...rows);
  }
}

/** By name: an object cannot be an argument of a class that may run in workers. */
const tables = new Map<string, Table>();

function newTable(): { readonly name: string; readonly table: Table } {
  const name = `table ${tables.size}`;
  const table = new Table();
  tables.set(name, table);
  return { name, table };
}

class TableSink extends SinkFunction<number> implements TransactionalSink<readonly number[]> {
  readonly #table: Table;
  #rows: number[] = [];

  constructor(name: string) {
    super();
    this.#table = tables.get(name)!;
  }

  override open(): void {
    this.#table.calls.push('open');
  }

  execute(row: number): void {
    this.#rows.push(row);
  }

  prepare({ epoch }: Transaction): readonly number[] | undefined | Promise<readonly number[]> {
    this.#table.calls.push('prepare');
    const rows = this.#rows;
    this.#rows = [];
    if (rows.length === 0) return undefined;
    return epoch % 2 === 0 ? rows : new Promise((resolve) => setImmediate(() => resolve(rows)));
  }

  async commit(rows: readonly number[], transaction: Transaction): Promise<void> {
    await this.#table.beforeCommit(transaction, rows.includes(RECORDS - 1));
    this.#table.calls.push('commit');
    this.#table.commit(rows, transaction);
  }

  abort(): void {
    this.#table.calls.push('abort');
  }

  recovered(): void {
    this.#table.calls.push('recovered');
  }

  override close(): void {
    this.#table.calls.push('close');
  }
}

/** Gives the event loop a turn now and then, so that there is time for checkpoints. */
function slowly(n: number): number | Promise<number> {
  return n % 20 === 0 ? new Promise((resolve) => setTimeout(resolve, 1, n)) : n;
}

const sorted = (rows: readonly number[]): readonly number[] => rows.toSorted((a, b) => a - b);

describe('a transactional sink', () => {
  it.each([
    { seed: 1, parallelism: [1], endings: ['cancel', 'fail'] as Ending[] },
    { seed: 2, parallelism: [2], endings: ['cancel', 'fail', 'stop'] as Ending[] },
    { seed: 3, parallelism: [1, 3, 2], endings: ['cancel', 'fail', 'stop'] as Ending[] },
  ])('given a job that is ended at random moments and goes on, when it has ended, then each record is there once ($parallelism instances, seed $seed)', async ({ seed, parallelism, endings }) => {
    using place = new Workplace();
    const { name, table } = newTable();
    const build: Build = (env, _out, touch) => {
      env.fromCollection(numbers).map(slowly).map((n) => (touch(), n)).sink(TableSink, { args: [name] });
    };
    const { resumed } = await interrupted(build, '', { dir: place.path('checkpoints'), seed, parallelism, records: RECORDS / 2, attempts: 4, endings });
    expect(sorted(table.rows)).toEqual(numbers);
    expect(resumed).toBeGreaterThan(0);
    expect(new Set(table.commits.map(({ operator, instance, epoch }) => `${operator} ${instance} ${epoch}`)).size).toBe(table.commits.length);
  });

  it('given a job with checkpoints, when they are safe, then each is committed before the job ends, in order, and nothing earlier', async () => {
    using place = new Workplace();
    const { name, table } = newTable();
    const env = new LocalEnvironment('once', { checkpoint: { dir: place.path('checkpoints') } });
    const half = Promise.withResolvers<void>();
    env.fromCollection(numbers).map((n) => (n === RECORDS / 2 ? half.promise.then(() => n) : n)).sink(TableSink, { args: [name] });
    const job = await env.submit();
    await expect.poll(() => job.metrics().operators.at(-1)?.recordsIn).toBeGreaterThan(0);
    expect(table.calls).toEqual(['open', 'recovered']);
    half.resolve();
    const result = await job.completion;
    expect(table.rows).toEqual(numbers);
    expect(table.calls).toEqual(['open', 'recovered', 'prepare', 'commit', 'close']);
    expect(result.guarantee).toEqual({ level: 'exactlyOnce', limits: [] });
  });

  it('given no checkpoints, when the job has ended, then there was one transaction', async () => {
    const { name, table } = newTable();
    const env = new LocalEnvironment('once');
    env.fromCollection(numbers).sink(TableSink, { args: [name] });
    const { guarantee } = await env.submit({ autostop: true });
    expect(table.rows).toEqual(numbers);
    expect(table.calls).toEqual(['open', 'recovered', 'prepare', 'commit', 'close']);
    expect(guarantee.level).toBe('none');
  });

  it('given no checkpoints, when the job fails, then nothing is committed, and the sink is told', async () => {
    const { name, table } = newTable();
    const env = new LocalEnvironment('failed');
    env.fromCollection(numbers).map((n) => {
      if (n === 1000) throw new Error('no');
      return n;
    }).sink(TableSink, { args: [name] });
    await expect(env.submit({ autostop: true })).rejects.toThrow(/no/);
    expect(table.rows).toEqual([]);
    expect(table.calls.slice(-2)).toEqual(['abort', 'close']);
  });

  it('given a commit that fails twice, when onError says retry, then it is tried again', async () => {
    const { name, table } = newTable();
    let left = 2;
    table.beforeCommit = () => {
      if (left-- > 0) throw new Error('not now');
    };
    const env = new LocalEnvironment('retries');
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting
    env.fromCollection(numbers).sink(TableSink, { args: [name] }).onError({ retry: 2, backoffMs: 1, then: 'skip' });
    expect(await env.submit({ autostop: true })).toMatchObject({ status: 'finished', restarts: 0 });
    expect(table.rows).toEqual(numbers);
  });

  it('given a commit that fails, when nothing says retry, then the job fails with the sink and the cause', async () => {
    const { name, table } = newTable();
    table.beforeCommit = () => Promise.reject(new Error('no connection'));
    const env = new LocalEnvironment('fails');
    env.fromCollection(numbers).sink(TableSink, { args: [name], onError: 'skip' }).named('rows');
    const job = await env.submit();
    await expect(job.completion).rejects.toMatchObject({ code: 'SAGE_USER_COMMIT', operator: 'rows', message: expect.stringMatching(/no connection/) as string });
    expect(job.status).toBe('failed');
  });

  it('given a last commit that fails once, when the job may be restarted, then another attempt commits it', async () => {
    using place = new Workplace();
    const { name, table } = newTable();
    let left = 1;
    table.beforeCommit = (_, isLast) => {
      if (isLast && left-- > 0) throw new Error('not now');
    };
    const env = new LocalEnvironment('again', { logger: quiet, checkpoint: { dir: place.path('checkpoints'), intervalMs: 5 }, restart: { kind: 'fixed', attempts: 3, delayMs: 1 } });
    env.fromCollection(numbers).map(slowly).sink(TableSink, { args: [name] });
    expect(await env.submit({ autostop: true })).toMatchObject({ status: 'finished', restarts: 1 });
    expect(table.rows).toEqual(numbers);
  });

  it('given a last commit that hangs, when the job is cancelled, then it ends, and the next one commits', async () => {
    using place = new Workplace();
    const { name, table } = newTable();
    const hangs = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    table.beforeCommit = () => {
      begun.resolve();
      return hangs.promise;
    };
    const settings = { logger: quiet, checkpoint: { dir: place.path('checkpoints') } };
    const env = new LocalEnvironment('hangs', settings);
    env.fromCollection(numbers).sink(TableSink, { args: [name] });
    const job = await env.submit();
    await begun.promise;
    await expect.poll(() => job.status).toBe('stopping');
    await job.cancel();
    expect([job.status, table.rows, table.calls.at(-1)]).toEqual(['canceled', [], 'close']);
    table.beforeCommit = () => undefined;
    const next = new LocalEnvironment('hangs', settings);
    next.fromCollection(numbers).sink(TableSink, { args: [name] });
    expect(await next.submit({ from: 'latest', autostop: true })).toMatchObject({ status: 'finished' });
    expect(table.rows).toEqual(numbers);
  });

  it('given commits that hang, when checkpoints go on, then the sink takes no more after a few of them', async () => {
    using place = new Workplace();
    const { name, table } = newTable();
    const hangs = Promise.withResolvers<void>();
    table.beforeCommit = () => hangs.promise;
    const env = new LocalEnvironment('held up', { checkpoint: { dir: place.path('checkpoints'), intervalMs: 2 } });
    env.fromCollection(Array.from({ length: 20 }, () => numbers).flat()).map(slowly).sink(TableSink, { args: [name] });
    const job = await env.submit();
    await expect.poll(() => job.metrics().checkpoints?.completed, { timeout: 20_000 }).toBeGreaterThanOrEqual(4);
    // The next checkpoint waits for the sink, which waits for a commit.
    let records = -1;
    await expect.poll(() => records === (records = job.metrics().operators.at(-1)!.recordsIn), { interval: 150, timeout: 20_000 }).toBe(true);
    expect(table.calls.filter((call) => call === 'prepare').length).toBeLessThanOrEqual(6);
    expect(table.commits).toEqual([]);
    hangs.resolve();
    await job.stop();
    expect(table.rows.length).toBe(job.metrics().operators.at(-1)!.recordsIn);
  }, 60_000);

  it('given a checkpoint whose last commits are not made sure of, when the sink has another parallelism then it makes sure of them, and when it is another one the job is refused', async () => {
    using place = new Workplace();
    const { name, table } = newTable();
    const checkpoint = { dir: place.path('checkpoints') };
    const ended = new LocalEnvironment('ended', { checkpoint, parallelism: 2 });
    ended.fromCollection(numbers).sink(TableSink, { args: [name] }).uid('rows');
    await ended.submit({ autostop: true });
    const rescaled = new LocalEnvironment('ended', { checkpoint, parallelism: 3 });
    rescaled.fromCollection(numbers).sink(TableSink, { args: [name] }).uid('rows');
    await expect(rescaled.submit({ from: 'latest', autostop: true })).resolves.toMatchObject({ status: 'finished' });
    expect(sorted(table.rows)).toEqual(numbers);
    // Each transaction was asked for twice, and had been committed before.
    expect(table.calls.filter((call) => call === 'commit').length).toBe(2 * table.commits.length);
    const plain = new LocalEnvironment('ended', { checkpoint, parallelism: 2 });
    plain.fromCollection(numbers).sink(() => undefined).uid('rows');
    await expect(plain.submit({ from: 'latest', autostop: true })).rejects.toMatchObject({ code: 'SAGE_CHECKPOINT_UNCLAIMED' });
    await expect(plain.submit({ from: 'latest', allowDropped: true, autostop: true })).resolves.toMatchObject({ status: 'finished' });
  });

  it('given a source without an end and no checkpoints, when it is submitted, then a warning says that nothing will be committed', async () => {
    const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { name } = newTable();
    const env = new LocalEnvironment('endless');
    env.fromSource((): number | undefined => undefined, { unbounded: true }).sink(TableSink, { args: [name] }).named('rows');
    const job = await env.submit();
    await job.stop();
    expect(warning).toHaveBeenCalledWith(expect.stringMatching(/'rows' .* commits at checkpoints, and without any only when the job is stopped/), expect.anything());
    warning.mockRestore();
  });
});
