import { BatchReader } from '../codec/batch-reader.ts';
import { isThenable } from './is-thenable.ts';
import type { KeyedResults } from './keyed-operator.ts';
import { resultInput } from './read-results.ts';
import type { SegmentFunctions } from './segment-functions.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';
import { windowInput } from './read-window-results.ts';
import type { WorkItem, WorkStack } from './work-stack.ts';

/**
 * The operators of a task that keep records back (reduces, aggregates, batches, asynchronous calls): lets them work, and puts
 * their results on the stack when they are due.
 */
export class StageHolders {
  readonly #bindings: StageBindings;
  readonly #functions: SegmentFunctions;
  readonly #stack: WorkStack;
  readonly #holderIds: readonly number[];
  /** Process functions whose `finish` was called. */
  readonly #finished = new Set<number>();
  /** Whether some operator emits every so many milliseconds: asked once for each record that is awaited. */
  readonly #emitsByTime: boolean;
  #draining = 0;
  #flushing = 0;

  constructor(bindings: StageBindings, functions: SegmentFunctions, stack: WorkStack) {
    this.#bindings = bindings;
    this.#functions = functions;
    this.#stack = stack;
    this.#holderIds = bindings.holders.flatMap((holder, id) => (holder === undefined ? [] : [id]));
    this.#emitsByTime = bindings.stage.nodes.some(({ op }) => op.kind === 'batch' || op.kind === 'window' || op.kind === 'keyedProcess' || op.kind === 'asOfJoin' || ('emit' in op && typeof op.emit === 'object'));
  }

  /** Milliseconds until there are results to emit though no record comes (`emit: { everyMs }`), if there are any. */
  get dueInMs(): number | undefined {
    if (!this.#emitsByTime) return undefined;
    const nowMs = this.#bindings.clock.monotonicMs();
    const { keyed, state, holders } = this.#bindings;
    const due = [...keyed, ...state, ...holders].flatMap((holder) => holder?.dueInMs?.(nowMs) ?? []);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Lets operators work on what they were given; their results go on the stack. */
  work(): Promise<void> | undefined {
    const { keyed } = this.#bindings;
    for (const id of this.#holderIds) {
      const worked = this.#bindings.holders[id]!.work();
      if (worked !== undefined) return worked;
      if (!this.#awaitsResults(id)) this.#takeHeld(id);
    }
    for (let id = 0; id < keyed.length; id++) {
      const operator = keyed[id];
      if (operator?.hasWork !== true || this.#awaitsResults(id)) continue;
      const worked = operator.work();
      if (worked !== undefined) return worked;
      operator.emitChanged?.(this.#bindings.clock.monotonicMs());
      this.#takeResults(id);
    }
    return undefined;
  }

  /** Whether rows wait in a keyed operator, so that nothing may come from above it. */
  get hasBacklog(): boolean {
    return this.#bindings.keyed.some((operator, id) => operator?.hasWork === true && !this.#awaitsResults(id));
  }

  /** Whether a node has no room for more of what comes from this root; without a root, from anywhere above. */
  isBlocked(root: number | undefined): boolean {
    for (const id of this.#holderIds) if (this.#bindings.holders[id]!.isFull && (root === undefined || root < id)) return true;
    return false;
  }

  /** Has the operators whose results have gone below say how far event time is there. */
  sayTimes(): void {
    for (const id of this.#holderIds) if (!this.#awaitsResults(id)) this.#bindings.holders[id]!.sayTime?.();
  }

  /** Closes the open batches of operators that emit as they go; whether that made work. */
  flush(): boolean {
    const { keyed, stage, state: states } = this.#bindings;
    let any = false;
    keyed.forEach((operator, id) => {
      const { op } = stage.nodes[id]!;
      if (operator === undefined || ('emit' in op && op.emit === 'final')) return;
      operator.flush();
      if (!operator.hasWork) operator.emitChanged?.(this.#bindings.clock.monotonicMs());
      // What waits behind earlier results is no work before those have gone below.
      any ||= operator.hasWork && !this.#awaitsResults(id);
    });
    for (const id of this.#holderIds) {
      if (this.#awaitsResults(id)) continue;
      this.#bindings.holders[id]!.closeDue(this.#bindings.clock.monotonicMs());
      any = this.#takeHeld(id) || any;
    }
    states.forEach((state, id) => {
      if (this.#awaitsResults(id)) return;
      if (state?.takeChanged(this.#bindings.clock.monotonicMs()) !== true) return;
      this.#pushResults(id, this.#unkeyedResult(id)!);
      any = true;
    });
    return any;
  }

  /** At a barrier: closes the open batches of all keyed operators; whether that made work. */
  flushKeyed(): boolean {
    let any = false;
    for (const operator of this.#bindings.keyed) {
      operator?.flush();
      any ||= operator?.hasWork === true;
    }
    return any;
  }

  /** Whether an operator in a loop has results to give after a while: they are still to go around. A batch is asked for its records instead. */
  get waitsForClock(): boolean {
    const nowMs = this.#bindings.clock.monotonicMs();
    const { keyed, state, stage } = this.#bindings;
    return stage.nodes.some(({ id, op, operator }) => operator.loop !== undefined && op.kind !== 'keyedProcess' && (keyed[id]?.dueInMs?.(nowMs) ?? state[id]?.dueInMs?.(nowMs)) !== undefined);
  }

  /** The loops of the task have come to rest: the operators in them are to give what they hold back. */
  beginFlush(): void {
    this.#flushing = 0;
  }

  /**
   * Has the next operator in a loop give what it holds back: batches that are not full, and timers, all of which are due then. `more` when there was
   * one, `done` when there is none left. With calls `in flight` those below have to wait: what the calls give may be held back there.
   */
  flushNext(): 'more' | 'in flight' | 'done' {
    const { nodes } = this.#bindings.stage;
    for (; this.#flushing < nodes.length; this.#flushing++) {
      const { id, op, operator } = nodes[this.#flushing]!;
      if (operator.loop === undefined) continue;
      if (op.kind === 'batch') {
        this.#bindings.holders[id]!.end();
        if (this.#takeHeld(id)) return 'more';
      }
      if ((this.#bindings.holders[id]?.inFlight ?? 0) > 0) return 'in flight';
      // Further inputs have the operator of the first one.
      if (op.kind === 'keyedProcess' && this.#bindings.keyed[id]?.finish!() === true) return 'more';
    }
    return 'done';
  }

  /**
   * At the end of all inputs: has the next operator that still holds something give it, upstream ones first. `more` when there was
   * one, a promise when it has to be awaited, `done` when there is none left. Results that are given at the end only are given
   * when the inputs were `drained`.
   */
  drainNext(drained: boolean): 'more' | 'in flight' | 'done' | Promise<void> {
    const { nodes } = this.#bindings.stage;
    for (; this.#draining < nodes.length; this.#draining++) {
      const node = nodes[this.#draining]!;
      const { op } = node;
      // What the one before gave has gone below.
      if (drained) this.#bindings.ends[node.id - 1]?.finish();
      const holder = this.#bindings.holders[node.id];
      if (holder !== undefined) {
        holder.end();
        if (this.#takeHeld(node.id) || holder.hasWork === true) return 'more';
        if (holder.inFlight > 0 || holder.isFull) return 'in flight';
        continue;
      }
      // Its results were given in a task of its own.
      if (this.#bindings.hadEnded.has(node.id)) continue;
      if (op.kind === 'process' && drained && (op.coInput?.owner ?? node.id) === node.id) {
        const finished = this.#finishFunction(node.id);
        if (finished !== undefined) return finished;
        continue;
      }
      if (op.kind === 'window' || op.kind === 'keyedProcess') {
        const operator = this.#bindings.keyed[node.id];
        // Further inputs have the operator of the first one, whose node is before theirs.
        if (operator === undefined) continue;
        operator.flush();
        if (operator.hasWork || (drained && operator.finish!())) return 'more';
        continue;
      }
      if (op.kind !== 'reduce' && op.kind !== 'aggregate') continue;
      const operator = this.#bindings.keyed[node.id];
      operator?.flush();
      if (operator?.hasWork === true) return 'more';
      if (!drained || op.emit === 'update') continue;
      const results = operator === undefined ? this.#unkeyedEnd(node.id) : operator.drain();
      if (results === undefined) continue;
      if (operator === undefined) this.#draining++;
      this.#pushResults(node.id, results);
      return 'more';
    }
    return 'done';
  }

  /** All rows of an item have been taken: if they were results, their reader may be written to again. */
  giveBack(item: WorkItem): void {
    if (item.source instanceof BatchReader) this.#bindings.keyed[item.root]?.giveBack?.(item.source);
  }

  /** Whether earlier results of the node are still on the stack: later ones must not overtake them. */
  #awaitsResults(node: number): boolean {
    return this.#stack.hasRoot(node);
  }

  /** Puts the results of an operator that keeps records back on the stack; whether there were any. */
  #takeHeld(node: number): boolean {
    const results = this.#bindings.holders[node]!.takeResults();
    if (results === undefined) return false;
    this.#pushRecords(node, results.records, this.#carriesKey(node) ? results.keys : undefined, this.#carriesTime(node) ? results.times : undefined);
    return true;
  }

  #carriesKey(node: number): boolean {
    return this.#bindings.stage.nodes[node]!.operator.keyedBy !== undefined;
  }

  #carriesTime(node: number): boolean {
    return this.#bindings.times !== undefined && this.#bindings.stage.nodes[node]!.operator.timed;
  }

  #pushRecords(root: number, records: readonly unknown[], keys: readonly unknown[] | undefined, times: readonly number[] | undefined): void {
    const input = { kind: 'array', keyed: keys !== undefined, timed: times !== undefined } as const;
    const segment = this.#functions.get(root, input, `${keys === undefined ? '' : 'keyed'}${times === undefined ? '' : 'timed'}`);
    this.#stack.push(root, segment, records, records.length, keys, times);
  }

  /** Calls `finish` of a process function, once; what it collected goes on the stack. */
  #finishFunction(id: number): 'more' | Promise<void> | undefined {
    const { functions, contexts, control } = this.#bindings;
    if (this.#finished.has(id)) return this.#takeCollected(id) ? 'more' : undefined;
    this.#finished.add(id);
    const fn = functions[id] as { finish?: () => unknown };
    if (typeof fn.finish !== 'function') return undefined;
    const context = contexts[id];
    if (context !== undefined) context.key = undefined;
    this.#bindings.states.of(id)?.dropKey();
    context?.broadcast?.begin(false);
    let result: unknown;
    try {
      result = fn.finish();
    } catch (error) {
      throw control.threw(error, id, NO_RECORD);
    }
    if (isThenable(result)) return this.#awaitFinish(id, result);
    const sent = this.#bindings.linked[id]!.sendOutputs();
    return sent ?? (this.#takeCollected(id) ? 'more' : undefined);
  }

  async #awaitFinish(id: number, finishing: PromiseLike<unknown>): Promise<void> {
    try {
      await finishing;
    } catch (error) {
      throw this.#bindings.control.rejected(error, id, NO_RECORD);
    }
    this.#bindings.control.checkNotOver();
    const sent = this.#bindings.linked[id]!.sendOutputs();
    if (sent !== undefined) await sent;
  }

  #takeCollected(id: number): boolean {
    const records = this.#bindings.collected[id]?.splice(0) ?? [];
    if (records.length === 0) return false;
    this.#pushRecords(id, records, this.#carriesKey(id) ? records.map(() => undefined) : undefined, this.#carriesTime(id) ? records.map(() => this.#endTime(id)) : undefined);
    return true;
  }

  /** What a function gives at its end is of no record: it gets the last moment that is not late. */
  #endTime(node: number): number {
    const watermark = this.#bindings.times!.leaving(node);
    return Number.isFinite(watermark) ? watermark : this.#bindings.clock.now();
  }

  #takeResults(node: number): void {
    const next = this.#bindings.keyed[node]!.takeResults();
    if (next !== undefined) this.#pushResults(node, next);
  }

  #pushResults(root: number, results: KeyedResults): void {
    if (results.kind === 'records') {
      this.#pushRecords(root, results.records, this.#carriesKey(root) ? results.keys : undefined, this.#carriesTime(root) ? results.times : undefined);
      return;
    }
    if (results.kind === 'late') {
      for (const { node, channel } of this.#bindings.stage.nodes[root]!.sides) {
        if (channel === 'output') this.#pushRecords(node, results.records, undefined, this.#carriesTime(node) ? results.times : undefined);
      }
      return;
    }
    if (results.kind === 'windows') {
      const { reader } = results;
      this.#stack.push(root, this.#functions.get(root, windowInput(this.#bindings.stage.nodes[root]!.op, reader), String(reader.known.id)), reader, reader.rows);
      return;
    }
    const { reader } = results;
    const input = resultInput(this.#bindings.stage.nodes[root]!.op, results);
    const keys = results.kind === 'running' ? results.keys : undefined;
    this.#stack.push(root, this.#functions.get(root, input, String(reader.known.id)), reader, reader.rows, keys);
  }

  /** What a global aggregate gives at the end; one that gave results as it went only what has changed since. */
  #unkeyedEnd(node: number): KeyedResults | undefined {
    const state = this.#bindings.state[node]!;
    return state.everyMs === undefined || state.takeChanged(Number.POSITIVE_INFINITY) ? this.#unkeyedResult(node) : undefined;
  }

  #unkeyedResult(node: number): KeyedResults | undefined {
    const state = this.#bindings.state[node];
    if (state === undefined) return undefined;
    const { op } = this.#bindings.stage.nodes[node]!;
    if (op.kind === 'aggregate') {
      try {
        return { kind: 'records', records: [state.result()] };
      } catch (error) {
        throw this.#bindings.control.threw(error, node, NO_RECORD);
      }
    }
    return state.has ? { kind: 'records', records: [state.value] } : undefined;
  }
}
