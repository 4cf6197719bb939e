import { SageError } from '../../common/errors.ts';
import { iteratorResult } from './iterator-result.ts';
import type { Pushed, Push } from './linked-node.ts';
import { Pace } from './pace.ts';
import type { StageBindings } from './stage-bindings.ts';

type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>;

/** A record whose results are held back until all are there may not have more than this. */
const MAX_HELD_RESULTS = 65_536;

/** Gives the results of one flatMap's record to the nodes below, one by one, for as long as there is room. */
export class ResultWalker {
  readonly #node: number;
  readonly #bindings: StageBindings;
  readonly #emitBelow: Push;
  readonly #sendOutputs: () => Pushed;

  /** @param sendOutputs gives what the function sent to side outputs to the nodes there: a generator may do so between two results. */
  constructor(node: number, bindings: StageBindings, emit: Push, sendOutputs: () => Pushed) {
    this.#node = node;
    this.#bindings = bindings;
    this.#emitBelow = emit;
    this.#sendOutputs = sendOutputs;
  }

  #emit(value: unknown, key: unknown): Pushed {
    const sent = this.#sendOutputs();
    return sent === undefined ? this.#emitBelow(value, key) : sent.then(() => this.#emitBelow(value, key));
  }

  /** Everything in a flatMap's result, and what was collected beside it. */
  flatten(result: unknown, value: unknown, key: unknown): Pushed {
    let source: AnyIterable;
    try {
      source = this.#source(result);
    } catch (error) {
      throw this.#bindings.control.threw(error, this.#node, value);
    }
    return this.#walkAny(source, key, value);
  }

  /**
   * All results of a record at once: with an error policy a record is all or nothing. A promise where the result is
   * asynchronous. What the iterator throws is thrown as it is.
   */
  gather(result: unknown): readonly unknown[] | Promise<readonly unknown[]> {
    // A list is there already, and nothing of it can fail.
    if (Array.isArray(result) && (this.#bindings.collected[this.#node]?.length ?? 0) === 0) return result;
    const source = this.#source(result);
    if (!(Symbol.iterator in source)) return this.#gatherAsync(source);
    const held: unknown[] = [];
    for (const item of source) this.#hold(held, item);
    return held;
  }

  async #gatherAsync(source: AsyncIterable<unknown>): Promise<unknown[]> {
    const { control } = this.#bindings;
    const held: unknown[] = [];
    const iterator = source[Symbol.asyncIterator]();
    const leave = control.whenLeft(() => iterator.return?.());
    try {
      for (;;) {
        const next = iteratorResult(await iterator.next());
        control.checkNotOver();
        if (next.done) return held;
        this.#hold(held, next.value);
      }
    } catch (error) {
      await left(leave);
      throw error;
    } finally {
      control.forget(leave);
    }
  }

  #hold(held: unknown[], item: unknown): void {
    if (held.length === MAX_HELD_RESULTS) {
      throw new SageError('SAGE_LIMIT_HELD_RESULTS', `one record gave more than ${MAX_HELD_RESULTS} results, which an error policy has to hold back until all are there`);
    }
    held.push(item);
  }

  /** Gives results that are all there to the nodes below. */
  give(held: readonly unknown[], key: unknown): Pushed {
    return this.#walk(held[Symbol.iterator](), key, undefined);
  }

  /** What is walked: strings are one record, nothing is none, and what was collected comes before what is yielded after it. */
  #source(result: unknown): AnyIterable {
    const collected = this.#bindings.collected[this.#node];
    let source: AnyIterable = [];
    if (typeof result === 'string') source = [result];
    else if (result !== undefined && result !== null) source = iterable(result);
    if (collected === undefined) return source;
    return Symbol.iterator in source ? withCollected(source, collected) : withCollectedAsync(source, collected);
  }

  #walkAny(source: AnyIterable, key: unknown, value: unknown): Pushed {
    let iterator: Iterator<unknown> | AsyncIterator<unknown>;
    try {
      if (!(Symbol.iterator in source)) {
        iterator = source[Symbol.asyncIterator]();
        return this.#walkAsync(iterator, key, value);
      }
      iterator = source[Symbol.iterator]();
    } catch (error) {
      throw this.#bindings.control.threw(error, this.#node, value);
    }
    return this.#walk(iterator, key, value);
  }

  /** Walks an iterator as long as everything below is synchronous and there is room and time, else goes on asynchronously. */
  #walk(iterator: Iterator<unknown>, key: unknown, value: unknown): Pushed {
    const { control, emitted } = this.#bindings;
    const pace = new Pace(this.#bindings.pace.nowMs);
    try {
      for (;;) {
        const next = this.#next(iterator, value);
        if (next.done) return this.#sendOutputs();
        emitted[this.#node]!++;
        const pushed = this.#emit(next.value, key);
        if (control.needless.has(this.#node)) {
          this.#leave(() => iterator.return?.(), value);
          return pushed;
        }
        if (pushed !== undefined || control.stop || pace.isTurnDue()) return this.#walkOn(iterator, key, value, pushed);
      }
    } catch (error) {
      try {
        iterator.return?.();
      } catch {
        // As in a for loop: what went wrong first is what is told.
      }
      throw error;
    }
  }

  /** Leaves an iterator whose results nobody needs any more; what it throws then is the operator's failure. */
  #leave(leave: () => unknown, value: unknown): void {
    try {
      leave();
    } catch (error) {
      throw this.#bindings.control.threw(error, this.#node, value);
    }
  }

  async #walkOn(iterator: Iterator<unknown>, key: unknown, value: unknown, first: Pushed): Promise<void> {
    const { control, emitted } = this.#bindings;
    const pace = new Pace(this.#bindings.pace.nowMs);
    // What is awaited here may never settle; the end of the job leaves the iterator then.
    const leave = control.whenLeft(() => iterator.return?.());
    try {
      if (first === undefined) await this.#bindings.turn();
      else await first;
      control.checkNotOver();
      if (control.needless.has(this.#node)) {
        this.#leave(leave, value);
        return;
      }
      for (;;) {
        if (control.stop) await this.#bindings.room();
        else if (pace.isTurnDue()) await this.#bindings.turn();
        const next = this.#next(iterator, value);
        if (next.done) {
          await this.#sendOutputs();
          return;
        }
        emitted[this.#node]!++;
        const pushed = this.#emit(next.value, key);
        if (pushed !== undefined) await pushed;
        control.checkNotOver();
        if (control.needless.has(this.#node)) {
          this.#leave(leave, value);
          return;
        }
      }
    } catch (error) {
      await left(leave);
      throw error;
    } finally {
      control.forget(leave);
    }
  }

  async #walkAsync(iterator: AsyncIterator<unknown>, key: unknown, value: unknown): Promise<void> {
    const { control, emitted } = this.#bindings;
    const pace = new Pace(this.#bindings.pace.nowMs);
    const leave = control.whenLeft(() => iterator.return?.());
    try {
      for (;;) {
        if (control.stop) await this.#bindings.room();
        else if (pace.isTurnDue()) await this.#bindings.turn();
        let next: IteratorResult<unknown>;
        try {
          next = iteratorResult(await iterator.next());
        } catch (error) {
          throw control.rejected(error, this.#node, value);
        }
        control.checkNotOver();
        if (next.done) {
          await this.#sendOutputs();
          return;
        }
        emitted[this.#node]!++;
        const pushed = this.#emit(next.value, key);
        if (pushed !== undefined) await pushed;
        control.checkNotOver();
        if (control.needless.has(this.#node)) {
          await this.#leaveAsync(leave, value);
          return;
        }
      }
    } catch (error) {
      await left(leave);
      throw error;
    } finally {
      control.forget(leave);
    }
  }

  async #leaveAsync(leave: () => unknown, value: unknown): Promise<void> {
    try {
      await leave();
    } catch (error) {
      throw this.#bindings.control.rejected(error, this.#node, value);
    }
  }

  #next(iterator: Iterator<unknown>, value: unknown): IteratorResult<unknown> {
    try {
      return iteratorResult(iterator.next());
    } catch (error) {
      throw this.#bindings.control.threw(error, this.#node, value);
    }
  }
}

/** Leaves an iterator behind an error. As in a for loop: what went wrong first is what is told. */
async function left(leave: () => unknown): Promise<void> {
  try {
    await leave();
  } catch {
    // see above
  }
}

/** @throws TypeError for what cannot be walked. */
function iterable(result: unknown): AnyIterable {
  const candidate = result as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  if (typeof candidate[Symbol.iterator] === 'function') return result as Iterable<unknown>;
  if (typeof candidate[Symbol.asyncIterator] === 'function') return result as AsyncIterable<unknown>;
  throw new TypeError(`flatMap must return an iterable (or nothing); it returned ${typeof result}`);
}

function* withCollected(source: Iterable<unknown>, collected: unknown[]): Generator<unknown> {
  yield* collected.splice(0);
  for (const item of source) {
    yield* collected.splice(0);
    yield item;
  }
  yield* collected.splice(0);
}

async function* withCollectedAsync(source: AsyncIterable<unknown>, collected: unknown[]): AsyncGenerator<unknown> {
  yield* collected.splice(0);
  for await (const item of source) {
    yield* collected.splice(0);
    yield item;
  }
  yield* collected.splice(0);
}
