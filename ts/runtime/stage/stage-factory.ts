import { type Exchange, type Stage, type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import type { JobId } from '../../common/ids.ts';
import { operatorId } from '../../compiler/execution/operator-id.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { BaseFunction } from '../../functions/base-function.ts';
import { CollectingFunction } from '../../functions/collecting-function.ts';
import { type FunctionInstance, instantiateUserFunction } from '../../functions/function-instance.ts';
import { givesAtEnd } from '../../functions/gives-at-end.ts';
import type { Logger } from '../../functions/logger.ts';
import { TaskContext } from '../../functions/task-context.ts';
import { isTransactionalFunction, type TransactionalSink } from '../../functions/transactional-sink.ts';
import type { UserFunction } from '../../functions/user-function.ts';
import type { LookupSettings } from '../../transformations/lookup-transformation.ts';
import { hasCheckpoints } from '../../transformations/checkpoint-settings.ts';
import { statePlaceOf } from '../../transformations/state-settings.ts';
import { expressionsOf, isExpressionNode } from '../../compiler/op-expressions.ts';
import { BatchReader } from '../codec/batch-reader.ts';
import type { IsolateTask } from '../isolate/isolate-loop.ts';
import { AsOfJoin } from './as-of-join.ts';
import type { AsyncCall } from './async-call.ts';
import { AsyncCalls } from './async-calls.ts';
import { bindExpression } from './bound-expression.ts';
import { bindBroadcast, bindFunctionState, keepsState } from './bind-function-state.ts';
import { Batcher } from './batcher.ts';
import { EndOfTime } from './end-of-time.ts';
import type { Instrument, OnTimer } from './instrument.ts';
import { IntervalJoin } from './interval-join.ts';
import { linkNodes } from './linked-node.ts';
import { KeyedProcessOperator } from './keyed-process-operator.ts';
import { LookupCalls } from './lookup-calls.ts';
import { CallRecorder } from './call-recorder.ts';
import { makeBindings } from './make-bindings.ts';
import { makeKeyedOperator } from './make-keyed-operator.ts';
import type { OpenedSource } from './opened-source.ts';
import { collectStateParts } from './collect-state-parts.ts';
import { connectOutput } from './connect-output.ts';
import { connectOutputs, disconnect, givenTooLate } from './function-outputs.ts';
import { openSource } from './open-source.ts';
import { makeRecordGate } from './record-gates.ts';
import type { RecordedOutcomes } from './recorded-outcomes.ts';
import { partOwner } from '../checkpoint/part-owner.ts';
import { SinkTransactions } from './sink-transactions.ts';
import { linkDecoder } from '../codec/linked-decoder.ts';
import { type StageBindings, UnkeyedState } from './stage-bindings.ts';
import { NO_RECORD, StageControl } from './stage-control.ts';
import { StageRunner } from './stage-runner.ts';
import type { RunnerHost } from './runner-host.ts';
import { StreamWriters } from './stream-writers.ts';
import { TaskCheckpoints } from './task-checkpoints.ts';
import { TableJoin } from './table-join.ts';
import { TimestampAssigner } from './timestamp-assigner.ts';
import type { AnyTrigger } from './trigger-calls.ts';
import { WindowOperator } from './window-operator.ts';
import { failureReporter } from './user-failure.ts';

/** How a job ends whose sinks give up what they have not prepared. */
const GIVEN_UP: ReadonlySet<string> = new Set(['failed', 'canceled']);

/** One task to build. */
export interface TaskSpec {
  readonly task: number;
  readonly stage: Stage;
  readonly instance: number;
}

/** What functions may know of their job. */
export interface JobFacts {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** From 0: how often the job was started again after a failure. */
  readonly attempt?: number | undefined;
  /** Of the job. */
  readonly logger: Logger;
  /** Of a job under the control of a test. */
  readonly instrument?: Instrument | undefined;
  readonly onTimer?: OnTimer | undefined;
  /** Where the outcomes of asynchronous calls are recorded. */
  readonly outcomes?: RecordedOutcomes | undefined;
  /** How an exchange encodes what goes through it. */
  readonly exchanges: readonly Exchange[];
}

/** Builds a task: its user functions, writers, state and runner. Nothing of the user's runs but constructors. */
export function createTask(spec: TaskSpec, job: JobFacts, jobHandle: number, host: RunnerHost): IsolateTask {
  const { stage } = spec;
  const reporter = failureReporter(stage);
  const control = new StageControl(reporter, recordAt);
  const { bindings, counters } = makeBindings(spec, job, jobHandle, host, control);
  const savepointsOnly = !hasCheckpoints(job.config);
  const checkpoints = new TaskCheckpoints(spec.task, bindings, host, { savepointsOnly });
  const instances: FunctionInstance[] = [];
  const sources: OpenedSource[] = [];
  /** Sinks that commit also when their task has come to its end. */
  const committers: { readonly transactions: SinkTransactions; readonly instance: FunctionInstance }[] = [];
  const writers = new StreamWriters();
  const bind = (node: StageNode, fn: UserFunction): unknown => {
    const context = new TaskContext({
      jobId: job.jobId,
      jobName: job.jobName,
      operator: failingOperator(node).name,
      parallelIndex: spec.instance,
      parallelism: stage.parallelism,
      config: job.config,
      signal: job.signal,
      logger: job.logger,
    });
    const instance = instantiateUserFunction(fn, context, node.operator.transformation.declaredAt, (job.attempt ?? 0) > 0);
    instances.push(instance);
    // A lookup counts what its cache does.
    if (instance.object !== undefined || (node.op.kind === 'mapAsync' && node.op.lookup !== undefined)) bindings.contexts[node.id] = context;
    if (instance.object !== undefined) {
      bindFunctionState(node, context, bindings, spec.instance);
      bindBroadcast(node, context, bindings, spec.instance);
    }
    if (instance.object instanceof CollectingFunction) {
      const collected: unknown[] = [];
      bindings.collected[node.id] = collected;
      CollectingFunction.connect(instance.object, (record) => collected.push(record));
    }
    if (instance.object instanceof BaseFunction) connectOutputs(node, instance.object, bindings);
    const called = instance.fn ?? instance.object!;
    return job.instrument === undefined ? called : job.instrument(called, node, stage);
  };
  const bindTransactions = (node: StageNode, instance: FunctionInstance): void => {
    const { declaredAt, errorPolicy } = node.operator.transformation;
    const transactions = new SinkTransactions(instance.object as unknown as TransactionalSink, {
      owner: partOwner(node, { instance: spec.instance, parallelism: stage.parallelism }),
      declaredAt,
      policy: errorPolicy,
      clock: host.clock,
      pace: bindings.pace,
      signal: job.signal,
      restoredEpoch: () => Math.max(0, host.core.checkpointRestored(jobHandle)),
      failed: (error) => reporter.failed(error, node.id, NO_RECORD),
      fail: (error) => host.fail(error, spec.task),
    });
    bindings.transactions[node.id] = transactions;
    bindings.stateParts.push(transactions.statePart());
    host.onDurable((epoch) => transactions.durable(epoch));
    committers.push({ transactions, instance });
  };
  const recorderOf = (node: StageNode): CallRecorder | undefined => {
    if (job.outcomes === undefined) return undefined;
    const recorder = new CallRecorder(operatorId(node.operator), job.outcomes);
    checkpoints.onPassed((epoch) => recorder.passed(epoch));
    host.onDurable((epoch) => recorder.durable(epoch));
    return recorder;
  };
  const build = (node: StageNode): void => {
    const { op } = node;
    bindings.expressions[node.id] = expressionsOf(op).map((expression) => (expression === undefined ? undefined : bindExpression(expression)));
    switch (op.kind) {
      case 'map':
      case 'flatMap':
      case 'process':
        if (op.coInput === undefined || op.coInput.owner === node.id) bindings.functions[node.id] = bind(node, op.fn);
        else shareFunction(node.id, op.coInput.owner, bindings);
        break;
      case 'route':
        bindings.functions[node.id] = bind(node, op.fn);
        break;
      case 'filter':
        if (!isExpressionNode(op.fn)) bindings.functions[node.id] = bind(node, op.fn);
        break;
      case 'mapAsync':
        bindings.functions[node.id] = bind(node, op.fn);
        bindings.holders[node.id] = makeAsyncCalls(node, op.lookup, bindings, () => host.ready(spec.task), recorderOf(node));
        break;
      case 'intervalJoin':
        bindings.holders[node.id] = new IntervalJoin(node, bindings);
        break;
      case 'asOfJoin':
        bindings.holders[node.id] = op.time === 'event' ? new AsOfJoin(node, bindings) : new TableJoin(node, bindings);
        break;
      case 'batch': {
        const batcher = new Batcher(node, bindings);
        bindings.holders[node.id] = batcher;
        bindings.batches[node.id] = batcher;
        break;
      }
      case 'dedup':
      case 'sample':
      case 'limit':
      case 'fillFuture':
        bindings.gates[node.id] = makeRecordGate(node, {
          instance: spec.instance,
          nowMs: () => host.clock.monotonicMs(),
          epochAheadMs: () => host.clock.now() - host.clock.monotonicMs(),
          isNeeded: () => !control.needless.has(node.id),
          limitReached: () => {
            control.stop = true;
            host.limitReached(node.operator.id);
          },
        });
        break;
      case 'assignTimestamps': {
        const { times } = bindings;
        if (!isFieldPath(op.selector)) bindings.functions[node.id] = op.selector;
        const assigner = new TimestampAssigner(op.settings, host.clock, (watermark, isIdle) => times!.say(node.id, watermark, isIdle));
        bindings.assigners[node.id] = assigner;
        op.settings.watermarks?.connect((watermark, isIdle) => {
          assigner.tell(watermark, isIdle);
          host.ready(spec.task);
        });
        // The times that records had are no longer theirs; that there are no more, or none for now, still holds.
        times!.connect(node.id, {
          timeChanged: ({ watermark, isIdle }) => {
            const isOver = watermark === Number.POSITIVE_INFINITY;
            // What a function below gives at its end has the time of the last record.
            if (isOver) assigner.publish();
            times!.say(node.id, isOver ? watermark : Number.NEGATIVE_INFINITY, isIdle);
          },
        });
        break;
      }
      case 'zipWithIndex':
        bindings.indexes[node.id] = { next: 0 };
        break;
      case 'keyBy':
        if (!isFieldPath(op.selector) && !Expression.is(op.selector)) bindings.functions[node.id] = bind(node, op.selector);
        break;
      case 'reduce':
        bindings.functions[node.id] = bind(node, op.fn);
        bindState(node, bindings, jobHandle, host);
        break;
      case 'keyedProcess':
        if (op.coInput === undefined || op.coInput.owner === node.id) {
          bindings.functions[node.id] = bind(node, op.fn);
          bindKeyedProcess(node, bindings, job, jobHandle, host);
        } else shareFunction(node.id, op.coInput.owner, bindings);
        break;
      case 'window':
        if (op.result.kind === 'reduce') bindings.functions[node.id] = bind(node, op.result.fn);
        if (op.result.kind === 'aggregate') bindings.aggregators[node.id] = Object.values(op.result.spec);
        bindWindows(node, bindings, jobHandle, host, job.instrument === undefined, op.settings.trigger.kind === 'custom' ? (bind(node, op.settings.trigger.fn) as AnyTrigger) : undefined);
        break;
      case 'aggregate':
        bindings.aggregators[node.id] = Object.values(op.spec);
        bindState(node, bindings, jobHandle, host);
        break;
      case 'extract':
        bindings.aggregators[node.id] = Object.values(op.spec);
        break;
      case 'sink':
        if (op.sink.form === 'array') bindings.functions[node.id] = op.sink.target;
        else if (op.sink.form === 'function') {
          bindings.functions[node.id] = bind(node, op.sink.fn);
          if (isTransactionalFunction(op.sink.fn)) bindTransactions(node, instances.at(-1)!);
        }
        else if (op.sink.form === 'collect') {
          const { collector } = op.sink;
          bindings.functions[node.id] = (record: unknown) => collector.write(record);
        } else if (op.sink.form === 'stream') {
          const failed = (error: unknown): Error => reporter.failed(error, node.id, NO_RECORD);
          bindings.functions[node.id] = writers.open(op.sink, failed, (error) => host.fail(error, spec.task));
        }
        break;
      case 'output':
        connectOutput(node.id, op, spec, job, bindings, host);
        break;
      case 'source':
        sources.push(openSource(node, spec, stage.parallelism, bind, bindings, !savepointsOnly));
        break;
      default:
        break;
    }
  };
  for (const node of stage.nodes) {
    try {
      build(node);
    } catch (error) {
      writers.abort(error);
      for (const instance of instances) instance.release();
      // Constructors, `init` of aggregators and `[Symbol.iterator]` of sources are user code.
      throw reporter.failed(error, node.id, NO_RECORD);
    }
  }
  bindings.holders.forEach((holder, id) => {
    if (holder !== undefined) bindings.times?.connect(id, holder);
  });
  bindings.stateParts.push(...collectStateParts(bindings, spec.instance));
  connectEnds(bindings);
  bindings.linked.push(...linkNodes(bindings));
  const runner = new StageRunner(spec.task, bindings, sources, host, checkpoints);
  const leave = (): void => control.leave();
  job.signal.addEventListener('abort', leave, { once: true });
  let closing: Promise<void> | undefined;
  /** Everything is closed, whatever of it fails; the first error is thrown. */
  const closeAll = async (finished: boolean): Promise<void> => {
    const failures: unknown[] = [];
    const late = new Set(committers.map(({ instance }) => instance));
    const early = instances.filter((instance) => !late.has(instance));
    for (const part of [{ close: () => runner.closeSources() }, ...early]) await closePart(part, failures);
    const tooLate = givenTooLate(bindings);
    if (tooLate !== undefined) failures.push(tooLate);
    for (const { object, release } of early) {
      if (finished) disconnect(object);
      release();
    }
    for (const operator of bindings.keyed) operator?.close();
    instances.length = 0;
    bindings.keyed.fill(undefined);
    // The signal lives as long as the job is listed; the task, with its buffers, must not.
    job.signal.removeEventListener('abort', leave);
    if (failures.length > 0) writers.abort(failures[0]);
    if (finished) await writers.end(job.signal);
    else writers.leave(job.signal);
    if (failures.length > 0) throw failures[0];
  };
  let closed: Promise<void> | undefined;
  let hasFinished = false;
  let isOpen = false;
  /** Behind `closeAll`, and when nothing is left to commit. */
  const closeCommitters = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const { transactions, instance } of committers.splice(0)) {
      await closePart({ close: () => transactions.leave(isOpen && GIVEN_UP.has(host.core.jobStatus(jobHandle))) }, failures);
      await closePart(instance, failures);
      if (hasFinished) disconnect(instance.object);
      instance.release();
    }
    if (failures.length > 0) throw failures[0];
  };
  return {
    runner,
    async open() {
      const goesOn = checkpoints.restore(jobHandle, spec.instance);
      if (goesOn) await runner.goOnFrom('seek');
      for (const instance of instances) {
        if (job.signal.aborted) return;
        await instance.open();
      }
      isOpen = true;
      for (const gate of bindings.gates) gate?.open?.();
      for (const { transactions } of committers) await transactions.recover();
      if (savepointsOnly && !goesOn) return;
      await runner.goOnFrom('catchUp');
      // Calls and timers that were restored wait for no record.
      host.ready(spec.task);
    },
    close: (finished) => {
      if (finished) {
        hasFinished = true;
        return (closing ??= closeAll(true));
      }
      closing ??= closeAll(false);
      return (closed ??= closing.finally(closeCommitters));
    },
    async settled() {
      for (const { transactions } of committers) await transactions.settled();
    },
    get isCommitting() {
      return committers.some(({ transactions }) => transactions.isCommitting);
    },
    counts: counters,
    readState: ({ operator, name, key }) => {
      const node = stage.nodes.find((node) => node.operator.id === operator && keepsState(node));
      if (node === undefined) return [];
      const keyed = bindings.keyed[node.id];
      const answer = keyed instanceof KeyedProcessOperator ? keyed.readState(name, key) : bindings.states.of(node.id)?.readState(name, key);
      return answer === undefined ? [] : [answer];
    },
    metrics: () =>
      bindings.contexts.flatMap((context, id) =>
        context === undefined || context.metrics.isEmpty || bindings.contexts.indexOf(context) < id ? [] : [{ operator: stage.nodes[id]!.operator.id, instance: spec.instance, snapshot: context.metrics.snapshot() }],
      ),
  };
}

/** Closes it; whatever fails is kept, so that all others are closed too. */
async function closePart(part: { close(): void | Promise<void> }, failures: unknown[]): Promise<void> {
  try {
    await part.close();
  } catch (error) {
    failures.push(error);
  }
}

/** The calls of a `mapAsync`; those of a lookup go through its cache. */
function makeAsyncCalls(node: StageNode, lookup: LookupSettings | undefined, bindings: StageBindings, ready: () => void, recorder: CallRecorder | undefined): AsyncCalls {
  if (lookup === undefined) return new AsyncCalls(node, bindings, { ready, recorder });
  const calls = new LookupCalls(node.id, lookup, bindings.functions[node.id], bindings);
  bindings.functions[node.id] = (record: unknown, call: AsyncCall) => calls.execute(record, call);
  return new AsyncCalls(node, bindings, { ready, full: () => calls.flush(), ended: () => calls.end() });
}

/** A node for a further input of an operator calls the object that the node of the first one has. */
function shareFunction(node: number, owner: number, { functions, contexts, states, collected, outputs }: StageBindings): void {
  functions[node] = functions[owner];
  states.add(node, states.of(owner));
  contexts[node] = contexts[owner];
  collected[node] = collected[owner];
  outputs[node] = outputs[owner];
}

/** Operators that give records when their input has ended hand event time on, and say its end behind those. */
function connectEnds({ stage, times, functions, ends }: StageBindings): void {
  if (times === undefined) return;
  for (const { id, op } of stage.nodes) {
    if (op.kind !== 'reduce' && op.kind !== 'aggregate' && op.kind !== 'process') continue;
    const end = new EndOfTime(id, times);
    ends[id] = end;
    if (op.kind === 'process' && !givesAtEnd(functions[id])) end.finish();
  }
}

function bindState(node: StageNode, bindings: StageBindings, jobHandle: number, host: RunnerHost): void {
  const { op } = node;
  if (op.kind !== 'reduce' && op.kind !== 'aggregate') return;
  if (!op.keyed) {
    bindings.state[node.id] = new UnkeyedState(node);
    return;
  }
  const operator = makeKeyedOperator(node, bindings, host.core, jobHandle, host.layouts);
  bindings.keyed[node.id] = operator;
  bindings.writers[node.id] = operator.writer;
}

function bindWindows(node: StageNode, bindings: StageBindings, jobHandle: number, host: RunnerHost, mayHelp: boolean, trigger: AnyTrigger | undefined): void {
  const operator = new WindowOperator(node, bindings, host.core, jobHandle, host.layouts, mayHelp, trigger);
  bindings.keyed[node.id] = operator;
  bindings.writers[node.id] = operator.writer;
  bindings.times?.connect(node.id, operator);
}

function bindKeyedProcess(node: StageNode, bindings: StageBindings, job: JobFacts, jobHandle: number, host: RunnerHost): void {
  const operator = new KeyedProcessOperator(node, bindings, host.core, jobHandle, host.layouts, statePlaceOf(job.config));
  bindings.keyed[node.id] = operator;
  bindings.writers[node.id] = operator.writer;
  bindings.times?.connect(node.id, operator);
}

/** The record of a row for an error message; whatever goes wrong here must not hide the error itself. */
function recordAt(source: unknown, row: number): unknown {
  try {
    if (Array.isArray(source)) return source[row] as unknown;
    if (source instanceof BatchReader) return linkDecoder(source.known.plan, source).record(row);
  } catch {
    return NO_RECORD;
  }
  return NO_RECORD;
}
