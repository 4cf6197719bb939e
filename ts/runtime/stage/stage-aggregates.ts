import { BatchReader } from '../codec/batch-reader.ts';
import type { KeyedResults } from './keyed-operator.ts';
import { resultInput } from './read-results.ts';
import type { SegmentFunctions } from './segment-functions.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';
import type { WorkItem, WorkStack } from './work-stack.ts';

/** The reduces and aggregates of a task: lets them work, and puts their results on the stack when they are due. */
export class StageAggregates {
  readonly #bindings: StageBindings;
  readonly #functions: SegmentFunctions;
  readonly #stack: WorkStack;
  readonly #nowMs: () => number;
  /** Whether some operator emits every so many milliseconds: asked once for each record that is awaited. */
  readonly #emitsByTime: boolean;
  #draining = 0;

  constructor(bindings: StageBindings, functions: SegmentFunctions, stack: WorkStack, nowMs: () => number) {
    this.#bindings = bindings;
    this.#functions = functions;
    this.#stack = stack;
    this.#nowMs = nowMs;
    this.#emitsByTime = bindings.stage.nodes.some(({ op }) => 'emit' in op && typeof op.emit === 'object');
  }

  /** Milliseconds until there are results to emit though no record comes (`emit: { everyMs }`), if there are any. */
  get dueInMs(): number | undefined {
    if (!this.#emitsByTime) return undefined;
    const nowMs = this.#nowMs();
    const due = [...this.#bindings.keyed, ...this.#bindings.state].flatMap((holder) => holder?.dueInMs?.(nowMs) ?? []);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Lets keyed operators work on what was encoded; their results go on the stack. */
  work(): Promise<void> | undefined {
    const { keyed } = this.#bindings;
    for (let id = 0; id < keyed.length; id++) {
      const operator = keyed[id];
      if (operator?.hasWork !== true || this.#awaitsResults(id)) continue;
      const worked = operator.work();
      if (worked !== undefined) return worked;
      operator.emitChanged?.(this.#nowMs());
      this.#takeResults(id);
    }
    return undefined;
  }

  /** Whether rows wait in a keyed operator, so that nothing may come from above it. */
  get hasBacklog(): boolean {
    return this.#bindings.keyed.some((operator, id) => operator?.hasWork === true && !this.#awaitsResults(id));
  }

  /** Closes the open batches of operators that emit as they go; whether that made work. */
  flush(): boolean {
    const { keyed, stage, state: states } = this.#bindings;
    let any = false;
    keyed.forEach((operator, id) => {
      const { op } = stage.nodes[id]!;
      if (operator === undefined || (op.kind !== 'reduce' && op.kind !== 'aggregate') || op.emit === 'final') return;
      operator.flush();
      if (!operator.hasWork) operator.emitChanged?.(this.#nowMs());
      any ||= operator.hasWork;
    });
    states.forEach((state, id) => {
      if (this.#awaitsResults(id)) return;
      if (state?.takeChanged(this.#nowMs()) !== true) return;
      this.#pushResults(id, this.#unkeyedResult(id)!);
      any = true;
    });
    return any;
  }

  /**
   * At the end of all inputs: has the next aggregate that still holds something give it, upstream ones first; whether there was
   * one. Results that are given at the end only are given when the inputs were `drained`.
   */
  drainNext(drained: boolean): boolean {
    const { nodes } = this.#bindings.stage;
    for (; this.#draining < nodes.length; this.#draining++) {
      const node = nodes[this.#draining]!;
      const { op } = node;
      if (op.kind !== 'reduce' && op.kind !== 'aggregate') continue;
      const operator = this.#bindings.keyed[node.id];
      operator?.flush();
      if (operator?.hasWork === true) return true;
      if (!drained || op.emit === 'update') continue;
      const results = operator === undefined ? this.#unkeyedEnd(node.id) : operator.drain();
      if (results === undefined) continue;
      if (operator === undefined) this.#draining++;
      this.#pushResults(node.id, results);
      return true;
    }
    return false;
  }

  /** All rows of an item have been taken: if they were results, their reader may be written to again. */
  giveBack(item: WorkItem): void {
    if (item.source instanceof BatchReader) this.#bindings.keyed[item.root]?.giveBack?.(item.source);
  }

  /** Whether earlier results of the node are still on the stack: later ones must not overtake them. */
  #awaitsResults(node: number): boolean {
    return this.#stack.hasRoot(node);
  }

  #takeResults(node: number): void {
    const operator = this.#bindings.keyed[node]!;
    const results: KeyedResults[] = [];
    for (let next = operator.takeResults(); next !== undefined; next = operator.takeResults()) results.push(next);
    // The stack is worked from its top: the oldest results go on last.
    for (const next of results.toReversed()) this.#pushResults(node, next);
  }

  #pushResults(root: number, results: KeyedResults): void {
    if (results.kind === 'records') {
      this.#stack.push(root, this.#functions.get(root, { kind: 'array' }, ''), results.records, results.records.length);
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
