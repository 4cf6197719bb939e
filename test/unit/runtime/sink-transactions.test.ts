import { describe, expect, it } from 'vitest';

import { systemClock } from '../../../ts/common/clock.ts';
import { UNKNOWN_LOCATION } from '../../../ts/common/source-location.ts';
import type { Transaction, TransactionalSink } from '../../../ts/functions/transactional-sink.ts';
import type { SavedPart } from '../../../ts/runtime/checkpoint/state-part.ts';
import { SinkTransactions } from '../../../ts/runtime/stage/sink-transactions.ts';

interface Given {
  readonly instance?: number;
  readonly parallelism?: number;
  readonly restoredEpoch?: number;
}

/** A sink whose handles are `<n>`, the how manieth transaction it is, and whose commits wait until they are let go. */
class Stage implements TransactionalSink<string> {
  readonly transactions: SinkTransactions;
  readonly committed: string[] = [];
  readonly failures: unknown[] = [];
  readonly ending = new AbortController();
  /** Of commits that have begun. */
  readonly begun: { readonly handle: string; readonly transaction: Transaction; readonly end: PromiseWithResolvers<void> }[] = [];
  #prepared = 0;

  constructor({ instance = 0, parallelism = 1, restoredEpoch = 0 }: Given = {}) {
    this.transactions = new SinkTransactions(this, {
      owner: { operator: 'rows', name: 'rows', instance, parallelism },
      declaredAt: UNKNOWN_LOCATION,
      policy: undefined,
      clock: systemClock,
      pace: { random: () => 0 },
      signal: this.ending.signal,
      restoredEpoch: () => restoredEpoch,
      failed: (error) => error as Error,
      fail: (error) => this.failures.push(error),
    });
  }

  prepare(): string {
    return `${++this.#prepared}`;
  }

  async commit(handle: string, transaction: Transaction): Promise<void> {
    const end = Promise.withResolvers<void>();
    this.begun.push({ handle, transaction, end });
    await end.promise;
    this.committed.push(handle);
  }

  /** Lets the commits that have begun come to their end, one after the other, until none begins. */
  async commitAll(): Promise<void> {
    for (let n = 0; n < this.begun.length; n++) {
      this.begun[n]!.end.resolve();
      await turn();
    }
  }

  saved(): SavedPart {
    const part = this.transactions.statePart();
    return { instance: 0, parallelism: 1, bytes: Buffer.from(part.save()) };
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the transactions of a sink', () => {
  it('given a commit under way, when the next one is prepared, then that begins when its own checkpoint is safe', async () => {
    const sink = new Stage();
    sink.transactions.prepare(1);
    sink.transactions.durable(1);
    sink.transactions.prepare(2);
    await sink.commitAll();
    expect(sink.committed).toEqual(['1']);
    sink.transactions.durable(2);
    await sink.commitAll();
    expect(sink.committed).toEqual(['1', '2']);
    await sink.transactions.settled();
  });

  it('given a checkpoint that failed, when the next one is safe, then both are committed, in their order', async () => {
    const sink = new Stage();
    for (const epoch of [1, 2, 3]) sink.transactions.prepare(epoch);
    sink.transactions.durable(2);
    await sink.commitAll();
    expect(sink.committed).toEqual(['1', '2']);
  });

  it('given the end of the input, when a later checkpoint is safe, then the last transaction is committed, and none before', async () => {
    const sink = new Stage({ restoredEpoch: 7 });
    sink.transactions.prepare(8);
    sink.transactions.prepare('end');
    sink.transactions.durable(8);
    await sink.commitAll();
    expect(sink.committed).toEqual(['1']);
    sink.transactions.durable(9);
    await sink.commitAll();
    expect(sink.committed).toEqual(['1', '2']);
    expect(sink.begun.map(({ transaction }) => transaction.epoch)).toEqual([8, 9]);
  });

  it('given four commits that wait, when another is to be prepared, then that waits until one is through', async () => {
    const sink = new Stage();
    for (const epoch of [1, 2, 3, 4]) {
      expect(sink.transactions.prepare(epoch)).toBeUndefined();
      sink.transactions.durable(epoch);
    }
    const waits = sink.transactions.prepare(5);
    let isOver = false;
    void waits?.then(() => (isOver = true));
    await turn();
    expect([waits === undefined, isOver]).toEqual([false, false]);
    sink.begun[0]!.end.resolve();
    await waits;
    expect(sink.transactions.prepare(5)).toBeUndefined();
  });

  it('given checkpoints that all fail, when 64 transactions wait for one, then it is an error that says so', () => {
    const sink = new Stage();
    for (let epoch = 1; epoch <= 64; epoch++) sink.transactions.prepare(epoch);
    expect(() => sink.transactions.prepare(65)).toThrow(/64 checkpoints in a row could not be written/);
  });

  it('given what three instances had prepared, when two go on, then each commits its own, with the id and the instance of then', async () => {
    const before = [0, 1, 2].map((instance) => new Stage({ instance, parallelism: 3 }));
    const saved = before.map((sink, instance): SavedPart => {
      sink.transactions.prepare(4);
      return { ...sink.saved(), instance, parallelism: 3 };
    });
    const now = [0, 1].map((instance) => new Stage({ instance, parallelism: 2, restoredEpoch: 4 }));
    for (const sink of now) {
      sink.transactions.statePart().restore(saved);
      const recovered = sink.transactions.recover();
      await sink.commitAll();
      await recovered;
    }
    expect(now.map(({ begun }) => begun.map(({ transaction }) => transaction.instance))).toEqual([[0, 2], [1]]);
    expect(new Set(now.flatMap(({ begun }) => begun.map(({ transaction }) => transaction.id))).size).toBe(3);
  });

  it('given a commit that hangs, when the job is over, then the sink is left all the same', async () => {
    const sink = new Stage();
    sink.transactions.prepare(1);
    sink.transactions.durable(1);
    sink.ending.abort(new Error('over'));
    await sink.transactions.settled();
    sink.begun[0]!.end.reject(new Error('too late'));
    await sink.transactions.leave(true);
    expect(sink.failures).toEqual([]);
  });
});
