import { type Exchange, type Stage, type StageNode, type StageOp, failingOperator } from '../../compiler/physical-plan.ts';
import { SageError, operatorError } from '../../common/errors.ts';
import type { JobId } from '../../common/ids.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { BaseFunction } from '../../functions/base-function.ts';
import { CollectingFunction } from '../../functions/collecting-function.ts';
import { type FunctionInstance, instantiateUserFunction } from '../../functions/function-instance.ts';
import type { Logger } from '../../functions/logger.ts';
import { TaskContext } from '../../functions/task-context.ts';
import type { UserFunction } from '../../functions/user-function.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import { expressionsOf, isExpressionNode } from '../../compiler/op-expressions.ts';
import { hasInput } from '../../compiler/codegen/aggregates.ts';
import { type LayoutNode, numbersTuple } from '../../compiler/layout/layout.ts';
import { BatchReader } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import type { IsolateTask } from '../isolate/isolate-loop.ts';
import { AsyncCalls } from './async-calls.ts';
import { bindExpression } from './bound-expression.ts';
import { Batcher } from './batcher.ts';
import { linkNodes } from './linked-node.ts';
import { makeBindings } from './make-bindings.ts';
import { makeKeyedOperator } from './make-keyed-operator.ts';
import { type OpenedSource, openCollection, openFunction, openIterator } from './opened-source.ts';
import { makeRecordGate } from './record-gates.ts';
import { retryingPull } from './retrying-pull.ts';
import { linkDecoder } from '../codec/linked-decoder.ts';
import { type StageBindings, UnkeyedState } from './stage-bindings.ts';
import { NO_RECORD, StageControl } from './stage-control.ts';
import { type RunnerHost, StageRunner } from './stage-runner.ts';
import { StreamWriters } from './stream-writers.ts';
import { failureReporter } from './user-failure.ts';

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
  /** Of the job. */
  readonly logger: Logger;
  /** How an exchange encodes what goes through it. */
  readonly exchanges: readonly Exchange[];
}

/** Builds a task: its user functions, writers, state and runner. Nothing of the user's runs but constructors. */
export function createTask(spec: TaskSpec, job: JobFacts, jobHandle: number, host: RunnerHost): IsolateTask {
  const { stage } = spec;
  const reporter = failureReporter(stage);
  const control = new StageControl(reporter, recordAt);
  const { bindings, counters } = makeBindings(spec, job, jobHandle, host, control);
  const instances: FunctionInstance[] = [];
  const sources: OpenedSource[] = [];
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
    const instance = instantiateUserFunction(fn, context, node.operator.transformation.declaredAt);
    instances.push(instance);
    if (instance.object !== undefined) bindings.contexts[node.id] = context;
    if (instance.object instanceof CollectingFunction) {
      const collected: unknown[] = [];
      bindings.collected[node.id] = collected;
      CollectingFunction.connect(instance.object, (record) => collected.push(record));
    }
    if (instance.object instanceof BaseFunction) connectOutputs(node, instance.object, bindings);
    return instance.fn ?? instance.object;
  };
  const build = (node: StageNode): void => {
    const { op } = node;
    bindings.expressions[node.id] = expressionsOf(op).map((expression) => (expression === undefined ? undefined : bindExpression(expression)));
    switch (op.kind) {
      case 'map':
      case 'flatMap':
      case 'process':
      case 'route':
        bindings.functions[node.id] = bind(node, op.fn);
        break;
      case 'filter':
        if (!isExpressionNode(op.fn)) bindings.functions[node.id] = bind(node, op.fn);
        break;
      case 'mapAsync':
        bindings.functions[node.id] = bind(node, op.fn);
        bindings.holders[node.id] = new AsyncCalls(node, bindings, { ready: () => host.ready(spec.task) });
        break;
      case 'batch': {
        const batcher = new Batcher(node, bindings, host.nowMs);
        bindings.holders[node.id] = batcher;
        bindings.batches[node.id] = batcher;
        break;
      }
      case 'dedup':
      case 'sample':
      case 'limit':
        bindings.gates[node.id] = makeRecordGate(node, {
          instance: spec.instance,
          nowMs: host.nowMs,
          limitReached: () => {
            control.stop = true;
            host.limitReached(node.operator.id);
          },
        });
        break;
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
      case 'aggregate':
        bindings.aggregators[node.id] = Object.values(op.spec);
        bindState(node, bindings, jobHandle, host);
        break;
      case 'extract':
        bindings.aggregators[node.id] = Object.values(op.spec);
        break;
      case 'sink':
        if (op.sink.form === 'array') bindings.functions[node.id] = op.sink.target;
        else if (op.sink.form === 'function') bindings.functions[node.id] = bind(node, op.sink.fn);
        else if (op.sink.form === 'collect') {
          const { collector } = op.sink;
          bindings.functions[node.id] = (record: unknown) => collector.write(record);
        } else if (op.sink.form === 'stream') {
          const failed = (error: unknown): Error => reporter.failed(error, node.id, NO_RECORD);
          bindings.functions[node.id] = writers.open(op.sink, failed, (error) => host.fail(error, spec.task));
        }
        break;
      case 'output':
        bindings.writers[node.id] = outputWriter(node.id, op, spec, job, bindings, host);
        break;
      case 'source':
        sources.push(openSource(node, spec, stage.parallelism, bind, bindings));
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
  bindings.linked.push(...linkNodes(bindings));
  const runner = new StageRunner(spec.task, bindings, sources, host);
  const leave = (): void => control.leave();
  job.signal.addEventListener('abort', leave, { once: true });
  let closing: Promise<void> | undefined;
  /** Everything is closed, whatever of it fails; the first error is thrown. */
  const closeAll = async (finished: boolean): Promise<void> => {
    const failures: unknown[] = [];
    for (const part of [{ close: () => runner.closeSources() }, ...instances]) {
      try {
        await part.close();
      } catch (error) {
        failures.push(error);
      }
    }
    const late = givenTooLate(bindings);
    if (late !== undefined) failures.push(late);
    for (const { object, release } of instances) {
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
  return {
    runner,
    async open() {
      for (const instance of instances) {
        if (job.signal.aborted) return;
        await instance.open();
      }
      for (const gate of bindings.gates) gate?.open?.();
    },
    close: (finished) => (closing ??= closeAll(finished)),
    counts: () => counters,
    metrics: () =>
      bindings.contexts.flatMap((context, id) =>
        context === undefined || context.metrics.isEmpty ? [] : [{ operator: stage.nodes[id]!.operator.id, instance: spec.instance, snapshot: context.metrics.snapshot() }],
      ),
  };
}

/** Where `this.output(tag, x)` of a function goes: to who takes the tag, if anybody does. */
function connectOutputs(node: StageNode, object: BaseFunction, bindings: StageBindings): void {
  const { kind } = node.op;
  if (kind === 'mapAsync' || kind === 'keyBy' || kind === 'source') {
    BaseFunction.connectOutputs(object, () => {
      throw new SageError('SAGE_ENV_CONTEXT', `a class for ${kind} has no side outputs, and called output()`, {
        help: 'Give what belongs to the side as a part of the result, and take it out in a process function behind.',
      });
    });
    return;
  }
  const taken = new Set(node.sides.filter(({ channel }) => channel === 'output').map(({ tag }) => tag));
  const waiting: { readonly tag: string; readonly record: unknown }[] = [];
  if (taken.size > 0) bindings.outputs[node.id] = waiting;
  const unread = new Set<string>();
  BaseFunction.connectOutputs(object, (tag, record) => {
    if (taken.has(tag)) {
      waiting.push({ tag, record });
      return;
    }
    bindings.contexts[node.id]?.metrics.counter(`unread output ${tag}`).inc();
    if (unread.has(tag)) return;
    unread.add(tag);
    bindings.logger(node.id).warn(`nobody takes the side output '${tag}': its records are counted and left out; call sideOutput('${tag}') behind the operator`);
  });
}

/** What a function gives from now on would go nowhere: its calls throw, where it makes them. */
function disconnect(object: unknown): void {
  if (object instanceof CollectingFunction) CollectingFunction.connect(object, undefined);
  if (object instanceof BaseFunction) BaseFunction.connectOutputs(object, undefined);
}

/** Records that were given when no `execute` was there to pass them on: they must not vanish without a word. */
function givenTooLate({ stage, collected, outputs }: StageBindings): SageError | undefined {
  const node = stage.nodes.find(({ id }) => (collected[id]?.length ?? 0) + (outputs[id]?.length ?? 0) > 0);
  if (node === undefined) return undefined;
  const call = (collected[node.id]?.length ?? 0) > 0 ? 'collect()' : 'output()';
  const { name, transformation } = node.operator;
  return operatorError('SAGE_ENV_CONTEXT', `'${name}' called ${call} outside execute()`, {
    operator: name,
    declaredAt: transformation.declaredAt,
    help: `Call ${call} in execute() only: each output belongs to the record in hand.`,
  });
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

function outputWriter(
  id: number,
  op: Extract<StageOp, { kind: 'output' }>,
  spec: TaskSpec,
  job: JobFacts,
  bindings: StageBindings,
  host: RunnerHost,
): BatchWriter {
  const { keyed, encoding, announced, spread } = job.exchanges[op.exchange]!;
  const { core, isolate, layouts } = host;
  return new BatchWriter({
    registry: layouts.registry,
    keyed,
    encoding,
    spread,
    row: extractedRow(spec.stage, id),
    announced,
    deliver: (image) => {
      if (core.emit(isolate, spec.task, op.output, image) === 0) bindings.control.stop = true;
    },
  });
}

/** The layout of what an `extract` sends: the core reads it as it is, also where there is no input or more than an array of a user's would have columns. */
function extractedRow(stage: Stage, output: number): LayoutNode | undefined {
  const from = stage.nodes.find(({ children }) => children.includes(output));
  return from?.op.kind === 'extract' ? numbersTuple(Object.values(from.op.spec).filter(hasInput).length) : undefined;
}

function openSource(
  node: StageNode,
  spec: TaskSpec,
  instances: number,
  bind: (node: StageNode, fn: UserFunction) => unknown,
  bindings: StageBindings,
): OpenedSource {
  if (node.op.kind !== 'source') throw new TypeError(`operator '${node.op.kind}' is no source`);
  const { source } = node.op;
  switch (source.form) {
    case 'collection':
      return openCollection(node.id, source.items, spec.instance, instances);
    case 'iterable':
      return openIterator(node.id, source.open());
    case 'function':
    case 'batch': {
      const fn = bind(node, source.fn) as (() => unknown) | { execute(): unknown };
      const pull = typeof fn === 'function' ? fn : () => fn.execute();
      const patient = isTolerant(node.operator.transformation.errorPolicy) ? retryingPull(pull, node, bindings) : pull;
      return openFunction(node.id, patient, source.form === 'batch' ? 'batch' : 'source');
    }
    case 'native':
      throw new TypeError('a native source is a stage of its own');
  }
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
