import { Expression } from '../../functions/expressions/expression.ts';
import type { AnyExpression } from '../../functions/expressions/expression-types.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { functionName, type UserFunction } from '../../functions/user-function.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import type { Emit } from '../../transformations/emit.ts';
import { isStandardOutput, type NativeSinkSpec, type SinkDescriptor } from '../../transformations/sink-descriptor.ts';
import { describePath, isStandardInput, type SourceDescriptor } from '../../transformations/source-descriptor.ts';
import type { LogicalOperator } from '../logical-plan.ts';
import { describeAsOfJoin, describeAsync, describeBatch, describeDedup, describeIntervalJoin, describeTimestamps } from './describe-settings.ts';
import { describeWindows } from './describe-windows.ts';

/** What an operator does, in a few words; empty where its kind says all. */
export function describeWork(operator: LogicalOperator): string {
  const { kind, transformation } = operator;
  switch (transformation.kind) {
    case 'source':
      return describeSource(operator.source ?? transformation.source);
    case 'map':
    case 'flatMap':
    case 'filter':
    case 'process':
    case 'keyedProcess':
    case 'broadcastProcess':
      return describeFunction(transformation.fn);
    case 'comap': {
      const { handlers } = transformation;
      return handlers.form === 'methods' ? describeFunction(handlers.fn) : `${handlers.fns.length} functions`;
    }
    case 'join':
      return describeFunction(transformation.fn);
    case 'intervalJoin':
      return describeIntervalJoin(transformation);
    case 'asOfJoin':
      return describeAsOfJoin(transformation, operator.takesTime);
    case 'select':
      return transformation.columns.map(([name, one]) => `${name}: ${String(one)}`).join(', ');
    case 'mapAsync':
      return describeAsync(transformation);
    case 'batch':
      return describeBatch(transformation);
    case 'dedup':
      return describeDedup(transformation);
    case 'assignTimestamps':
      return describeTimestamps(transformation);
    case 'sample':
      return 'every' in transformation.settings ? `one of ${transformation.settings.every}` : `each with probability ${transformation.settings.fraction}`;
    case 'limit':
      return `${transformation.max} ${transformation.keyed ? 'of each key' : 'of all'}`;
    case 'route':
      return `${transformation.names === undefined ? 'by any name' : `to ${transformation.names.join(', ')}`}${transformation.unknown === 'default' ? ' or default' : ''}`;
    case 'sideOutput':
      return { branch: `the branch ${transformation.tag}`, output: `the side output ${transformation.tag}`, deadLetters: 'records at which it failed' }[transformation.channel];
    case 'keyBy': {
      const { selector, strategy } = transformation;
      const by = isFieldPath(selector) ? `field ${selector.path}` : describeFunction(selector) || 'a lambda';
      return `by ${by}, ${strategy}`;
    }
    case 'reduce':
      return [transformation.keyed ? 'for each key' : 'over all records', describeEmit(transformation.emit), describeFunction(transformation.fn)]
        .filter((part) => part !== '')
        .join(', ');
    case 'aggregate': {
      const spec = Object.entries(transformation.spec);
      if (kind === 'extract') return describeInputs(transformation.spec);
      const results = spec.map(([name, one]) => `${name}: ${describeAggregator(one)}`).join(', ');
      return `{ ${results} } ${transformation.keyed ? 'for each key' : 'over all records'}, ${describeEmit(transformation.emit)}`;
    }
    case 'window':
      if (kind === 'extract') return describeInputs(transformation.result.kind === 'aggregate' ? transformation.result.spec : {});
      return describeWindows(transformation, operator.takesTime);
    case 'fromFuture':
      return transformation.filledBy === undefined ? '' : `what comes back from '${transformation.filledBy.name}'`;
    case 'fillFuture':
      return `back to '${transformation.future.name}'`;
    case 'zipWithIndex':
    case 'rebalance':
    case 'union':
      return '';
    case 'sink':
      return describeSink(transformation.sink);
  }
}

function describeSource(source: SourceDescriptor): string {
  const end = source.bounded ? '' : ', unbounded';
  switch (source.form) {
    case 'collection':
      return `an array of ${source.items.length} ${source.items.length === 1 ? 'record' : 'records'}${end}`;
    case 'iterable':
      return `${source.name}${end}`;
    case 'function':
    case 'batch':
      return `${describeFunction(source.fn) || 'a lambda'}${end}`;
    case 'native': {
      const { type, path, columns, watch } = source.spec;
      const watched = watch === undefined ? '' : `, watched every ${watch.everyMs} ms`;
      return `${type} ${isStandardInput(path) ? 'of ' : ''}${describePath(path)}${columns === undefined ? '' : `, columns ${columns.join(', ')}`}${watched}${end}`;
    }
  }
}

function describeSink(sink: SinkDescriptor): string {
  switch (sink.form) {
    case 'array':
      return 'an array';
    case 'collect':
      return 'collect()';
    case 'stream':
      return `a ${sink.name}`;
    case 'function':
      return describeFunction(sink.fn) || 'a lambda';
    case 'native':
      return describeOutput(sink.spec);
  }
}

function describeOutput({ type, path, partitionBy }: NativeSinkSpec): string {
  const where = isStandardOutput(path) ? 'to standard output' : `'${path}'`;
  return `${type} ${where}${Array.isArray(partitionBy) ? ` by ${partitionBy.join(', ')}` : ''}`;
}

/** Lambdas without a name have nothing to be told by. */
function describeFunction(fn: UserFunction | AnyExpression): string {
  if (Expression.is(fn)) return String(fn);
  const name = functionName(fn);
  if (fn.form === 'class') return `class ${name}`;
  if (fn.form === 'instance') return `an object of ${name}`;
  return name === 'anonymous' ? '' : `function ${name}`;
}

function describeEmit(emit: Emit): string {
  if (emit === 'final') return 'at the end';
  return emit === 'update' ? 'after every record' : `every ${emit.everyMs} ms`;
}

function describeAggregator(aggregator: AnyAggregator): string {
  if (!('kind' in aggregator)) return 'a user aggregator';
  return `${aggregator.name}(${describeInput(aggregator)})`;
}

/** What an `extract` reads. */
function describeInputs(spec: Readonly<Record<string, AnyAggregator>>): string {
  return Object.values(spec).map(describeInput).filter(Boolean).join(', ') || 'the key alone';
}

function describeInput(aggregator: AnyAggregator): string {
  if (!('kind' in aggregator) || aggregator.input === undefined) return '';
  return isFieldPath(aggregator.input) ? aggregator.input.path : Expression.is(aggregator.input) ? String(aggregator.input) : aggregator.input.name || 'a lambda';
}
