import { startTimer } from '../../common/clock.ts';
import { counted } from '../../common/counted.ts';
import { SageError } from '../../common/errors.ts';
import { isFieldPath, readField } from '../../functions/field-path.ts';
import type { Counter } from '../../functions/function-metrics.ts';
import type { LookupCall } from '../../functions/lookup-function.ts';
import type { LookupSettings } from '../../transformations/lookup-transformation.ts';
import type { AsyncCall } from './async-call.ts';
import { isThenable } from './is-thenable.ts';
import { keyIdentity } from './key-identity.ts';
import { LookupCache } from './lookup-cache.ts';
import type { StageBindings } from './stage-bindings.ts';

/** A call of the user's function, for one key or several, that is open or in flight. */
interface SharedCall {
  readonly controller: AbortController;
  /** Records that wait for one of its rows. */
  waiting: number;
  readonly lookups: PendingLookup[];
}

/** A row that is on its way; records of the same key wait for the same one. */
interface PendingLookup {
  readonly key: unknown;
  readonly identity: unknown;
  readonly call: SharedCall;
  readonly row: Promise<unknown>;
  readonly resolve: (row: unknown) => void;
  readonly reject: (error: unknown) => void;
  isSettled: boolean;
}

/** The user's function, by one key or by an array of them. */
type Ask = (keys: unknown, call: LookupCall) => unknown;

/**
 * What the `mapAsync` of a lookup calls for each record: finds its row in the cache, among those on their way, or by the user's
 * function, and combines the two. That a row was not found is kept as any row; a call that failed is not.
 */
export class LookupCalls {
  readonly #lookup: LookupSettings;
  readonly #ask: Ask;
  readonly #bindings: StageBindings;
  readonly #cache: LookupCache | undefined;
  readonly #pending = new Map<unknown, PendingLookup>();
  /** With `batch`: the call that is not yet made, and what takes back that it is made by the clock. */
  #open: SharedCall | undefined;
  #stopTimer: (() => void) | undefined;
  #hasEnded = false;
  readonly #hits: Counter;
  readonly #misses: Counter;
  readonly #evictions: Counter;
  readonly #coalesced: Counter;

  constructor(node: number, lookup: LookupSettings, fn: unknown, bindings: StageBindings) {
    this.#lookup = lookup;
    this.#bindings = bindings;
    this.#ask = askOf(fn, lookup.batch !== undefined);
    this.#cache = lookup.cache === undefined ? undefined : new LookupCache(lookup.cache, bindings.clock);
    const { metrics } = bindings.contexts[node]!;
    this.#hits = metrics.counter('lookup hits');
    this.#misses = metrics.counter('lookup misses');
    this.#evictions = metrics.counter('lookup evictions');
    this.#coalesced = metrics.counter('lookup coalesced');
  }

  /** The result for a record; a promise while its row is on its way. */
  execute(record: unknown, call: AsyncCall): unknown {
    const { key: selector } = this.#lookup;
    const key = selector === undefined ? call.key : isFieldPath(selector) ? readField(selector, record) : selector(record as never);
    // As in SQL: no key is equal to nothing.
    if (key === undefined || key === null) return this.#combine(record, undefined);
    if (isThenable(key)) throw new SageError('SAGE_USER_WRONG_TYPE', 'the key of lookup is a promise; it must be known at once');
    const identity = keyIdentity(key);
    const cached = this.#cache?.get(identity);
    if (cached !== undefined) {
      this.#hits.inc();
      return this.#combine(record, cached.row);
    }
    const pending = this.#pending.get(identity);
    if (pending !== undefined) {
      this.#coalesced.inc();
      return this.#await(pending, record, call);
    }
    this.#misses.inc();
    return this.#lookup.batch === undefined ? this.#askOne(key, identity, record, call) : this.#await(this.#enqueue(key, identity), record, call);
  }

  /** No record comes before one of those in flight has its row: what waits for others of its batch waits in vain. */
  flush(): void {
    const call = this.#open;
    if (call === undefined) return;
    this.#open = undefined;
    this.#bindings.waiting.byClock -= call.waiting;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (call.controller.signal.aborted) {
      for (const lookup of call.lookups) this.#failed(lookup, call.controller.signal.reason);
      return;
    }
    void this.#askMany(call);
  }

  /** The input has ended. */
  end(): void {
    this.#hasEnded = true;
    this.flush();
  }

  #combine(record: unknown, row: unknown): unknown {
    if (row === undefined && this.#lookup.type === 'inner') return undefined;
    return this.#lookup.combine(record as never, row as never);
  }

  #askOne(key: unknown, identity: unknown, record: unknown, call: AsyncCall): unknown {
    const shared: SharedCall = { controller: new AbortController(), waiting: 0, lookups: [] };
    const found = this.#ask(key, { signal: shared.controller.signal });
    if (!isThenable(found)) return this.#combine(record, this.#keep(identity, found));
    const lookup = this.#begin(key, identity, shared);
    Promise.resolve(found).then(
      (row) => this.#found(lookup, row),
      (error: unknown) => this.#failed(lookup, error),
    );
    return this.#await(lookup, record, call);
  }

  #begin(key: unknown, identity: unknown, call: SharedCall): PendingLookup {
    const { promise: row, resolve, reject } = Promise.withResolvers<unknown>();
    const lookup: PendingLookup = { key, identity, call, row, resolve, reject, isSettled: false };
    call.lookups.push(lookup);
    this.#pending.set(identity, lookup);
    return lookup;
  }

  #enqueue(key: unknown, identity: unknown): PendingLookup {
    const { max, waitMs } = this.#lookup.batch!;
    const { clock } = this.#bindings;
    if (this.#open === undefined) {
      this.#open = { controller: new AbortController(), waiting: 0, lookups: [] };
      this.#stopTimer = startTimer(clock, waitMs, () => this.#timeUp());
    }
    const lookup = this.#begin(key, identity, this.#open);
    if (lookup.call.lookups.length >= max || this.#hasEnded) this.flush();
    return lookup;
  }

  #timeUp(): void {
    // No call begins while the job is paused.
    if (this.#bindings.isPaused()) this.#bindings.wait(0).then(() => this.flush(), () => undefined);
    else this.flush();
  }

  async #askMany({ controller, lookups }: SharedCall): Promise<void> {
    try {
      const rows = await this.#ask(lookups.map(({ key }) => key), { signal: controller.signal });
      if (!Array.isArray(rows) || rows.length !== lookups.length) {
        const found = Array.isArray(rows) ? counted(rows.length, 'row') : `no array, but ${rows === null ? 'null' : typeof rows}`;
        throw new SageError('SAGE_USER_WRONG_TYPE', `the lookup of ${lookups.length === 1 ? 'a batch of one key' : `${lookups.length} keys`} gave ${found}`, { help: 'Give an array with a row for each key, in their order; undefined where there is none.' });
      }
      lookups.forEach((lookup, n) => this.#found(lookup, rows[n]));
    } catch (error) {
      for (const lookup of lookups) this.#failed(lookup, error);
    }
  }

  #found(lookup: PendingLookup, row: unknown): void {
    lookup.isSettled = true;
    // A call that everybody gave up, and that another one has taken the place of, says nothing new.
    const isCurrent = this.#pending.get(lookup.identity) === lookup;
    if (isCurrent) this.#pending.delete(lookup.identity);
    lookup.resolve(isCurrent ? this.#keep(lookup.identity, row) : (row ?? undefined));
  }

  #failed(lookup: PendingLookup, error: unknown): void {
    lookup.isSettled = true;
    if (this.#pending.get(lookup.identity) === lookup) this.#pending.delete(lookup.identity);
    lookup.reject(error);
  }

  #keep(identity: unknown, found: unknown): unknown {
    const row = found ?? undefined;
    const evicted = this.#cache?.set(identity, row) ?? 0;
    if (evicted > 0) this.#evictions.inc(evicted);
    return row;
  }

  #await(lookup: PendingLookup, record: unknown, { signal }: AsyncCall): Promise<unknown> {
    const { call } = lookup;
    call.waiting++;
    // Nobody but the clock has been asked for anything yet.
    if (call === this.#open) this.#bindings.waiting.byClock++;
    signal.addEventListener('abort', () => this.#gaveUp(lookup, signal.reason), { once: true });
    return lookup.row.then((row) => this.#combine(record, row));
  }

  /** A record no longer waits: its attempt has run out of time, or the job is over. */
  #gaveUp({ call, isSettled }: PendingLookup, reason: unknown): void {
    if (isSettled) return;
    call.waiting--;
    if (call === this.#open) this.#bindings.waiting.byClock--;
    if (call.waiting > 0) return;
    // The next attempt makes a call of its own.
    for (const { identity } of call.lookups) this.#pending.delete(identity);
    call.controller.abort(reason);
  }
}

function askOf(fn: unknown, inBatches: boolean): Ask {
  if (typeof fn === 'function') return fn as Ask;
  const object = fn as { execute: Ask; lookupBatch?: Ask };
  if (!inBatches) return (key, call) => object.execute(key, call);
  if (typeof object.lookupBatch !== 'function') {
    throw new SageError('SAGE_PLAN_FUNCTION', 'lookup was told to look up batches, and its class has no lookupBatch', { help: 'Add lookupBatch(keys) to the class, or leave batch away.' });
  }
  return (keys, call) => object.lookupBatch!(keys, call);
}
