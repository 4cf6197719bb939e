import { Expression } from '../../functions/expressions/expression.ts';
import type { AnyExpression } from '../../functions/expressions/expression-types.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { type ClassUserFunction, functionName, functionSource, type InstanceUserFunction, type UserFunction } from '../../functions/user-function.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import { type LookupSettings, LookupTransformation } from '../../transformations/lookup-transformation.ts';
import type { SinkDescriptor } from '../../transformations/sink-descriptor.ts';
import type { SourceDescriptor } from '../../transformations/source-descriptor.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Selector } from '../physical-plan.ts';
import { normaliseSource } from './normalise-source.ts';
import { listText, valueText } from './value-text.ts';

/** What an operator does, in texts by name, so that a difference can be named. */
export function describeOperator(transformation: Transformation): Readonly<Record<string, string>> {
  switch (transformation.kind) {
    case 'source':
      return describeSource(transformation.source);
    case 'map':
    case 'flatMap':
    case 'filter':
    case 'process':
    case 'keyedProcess':
    case 'broadcastProcess':
      return describeFunction(transformation.fn);
    case 'comap': {
      const { handlers } = transformation;
      if (handlers.form === 'methods') return describeFunction(handlers.fn);
      return Object.assign({}, ...handlers.fns.map((fn, input) => prefixed(`input ${input}: `, describeFunction(fn)))) as Record<string, string>;
    }
    case 'join':
      return describeFunction(transformation.fn);
    case 'intervalJoin':
      return { settings: valueText(transformation.settings) };
    case 'asOfJoin': {
      const { table, ...settings } = transformation.settings;
      return { settings: valueText(settings), ...(table === undefined ? {} : { 'time of the table': String(table.time), deleted: valueText(table.isDeleted) }) };
    }
    case 'select':
      return Object.fromEntries(transformation.columns.map(([name, one]) => [`column '${name}'`, expressionText(one)]));
    case 'mapAsync':
      return { settings: valueText(transformation.settings), ...describeFunction(transformation.fn), ...(transformation instanceof LookupTransformation ? describeLookup(transformation.lookup) : {}) };
    case 'batch': {
      const { weight, by, ...settings } = transformation.settings;
      return { settings: valueText(settings), weight: selectorText(weight), by: selectorText(by) };
    }
    case 'dedup':
      return { by: selectorText(transformation.by), ttlMs: String(transformation.ttlMs) };
    case 'assignTimestamps':
      return { by: selectorText(transformation.selector as Selector), settings: valueText(transformation.settings) };
    case 'sample':
      return { settings: valueText(transformation.settings) };
    case 'limit':
      return { max: String(transformation.max) };
    case 'route':
      return { names: valueText(transformation.names), unknown: transformation.unknown, ...describeFunction(transformation.router) };
    case 'sideOutput':
      return { channel: transformation.channel, tag: transformation.tag };
    case 'keyBy': {
      const { selector, strategy } = transformation;
      return { strategy, ...(isFieldPath(selector) ? { 'field path': selector.path } : describeFunction(selector)) };
    }
    case 'reduce':
      return { emit: valueText(transformation.emit), ...describeFunction(transformation.fn) };
    case 'aggregate': {
      return { emit: valueText(transformation.emit), ...aggregatorTexts(transformation.spec) };
    }
    case 'window': {
      const { settings, result } = transformation;
      const { kind } = result;
      const what = kind === 'reduce' ? describeFunction(result.fn) : kind === 'aggregate' ? aggregatorTexts(result.spec) : {};
      const { trigger } = settings;
      if (trigger.kind !== 'custom') return { windows: valueText(settings), result: kind, ...what };
      return { windows: valueText({ ...settings, trigger: 'custom' }), ...prefixed('trigger: ', describeTrigger(trigger.fn)), result: kind, ...what };
    }
    case 'fromFuture':
      return { limits: valueText(transformation.limits) };
    case 'fillFuture':
      return { future: transformation.future.name };
    case 'zipWithIndex':
    case 'rebalance':
    case 'union':
      return {};
    case 'sink':
      return describeSink(transformation.sink);
  }
}

function describeLookup({ key, combine, ...settings }: LookupSettings): Readonly<Record<string, string>> {
  return { lookup: valueText(settings), key: selectorText(key), combine: valueText(combine) };
}

/** The tree, as texts of two expressions may be equal: a field and a constant of a strange name. */
function expressionText(expression: AnyExpression): string {
  return `${String(expression)} ${valueText(Expression.nodeOf(expression))}`;
}

function describeFunction(fn: UserFunction | AnyExpression): Readonly<Record<string, string>> {
  if (Expression.is(fn)) return { form: 'expression', expression: expressionText(fn) };
  const what = { form: fn.form, 'function source': normaliseSource(functionSource(fn)), 'function name': functionName(fn) };
  if (fn.form === 'class') return { ...what, 'constructor arguments': valueText(fn.args) };
  if (fn.form === 'instance') {
    const fields = Reflect.ownKeys(fn.fields).map((name) => [name, fn.fields[name]!.value as unknown]);
    return { ...what, fields: valueText(Object.fromEntries(fields)) };
  }
  return what;
}

/** With the source of each method that the object of a trigger has: `onElement` is one of several. */
function describeTrigger(fn: ClassUserFunction | InstanceUserFunction): Readonly<Record<string, string>> {
  if (fn.form === 'class') return describeFunction(fn);
  const own = Object.entries(fn.fields).flatMap(([name, { value }]) => (typeof value === 'function' ? [[`method '${name}'`, valueText(value)] as const] : []));
  return { ...describeFunction(fn), ...Object.fromEntries(own) };
}

function prefixed(prefix: string, texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [prefix + name, text]));
}

function describeSource(source: SourceDescriptor): Readonly<Record<string, string>> {
  const what = { form: source.form, bounded: String(source.bounded) };
  switch (source.form) {
    case 'collection':
      return { ...what, items: listText(source.items) };
    case 'iterable':
      return { ...what, iterable: source.name };
    case 'function':
    case 'batch':
      return { ...what, ...describeFunction(source.fn), form: source.form };
    case 'native':
      return { ...what, connector: valueText(source.spec) };
  }
}

function describeSink(sink: SinkDescriptor): Readonly<Record<string, string>> {
  // The array of an array sink is filled by the main isolate only: what it holds says nothing. A stream is written there
  // only too, and a worker may be given another one: to make it once more may open a file.
  if (sink.form === 'function') return { ...describeFunction(sink.fn), form: sink.form };
  return sink.form === 'native' ? { form: sink.form, connector: valueText(sink.spec) } : { form: sink.form };
}

function selectorText(selector: Selector | undefined): string {
  if (selector === undefined) return 'not set';
  return isFieldPath(selector) ? selector.path : normaliseSource(Function.prototype.toString.call(selector));
}

function aggregatorTexts(spec: Readonly<Record<string, AnyAggregator>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(spec).map(([name, one]) => [`aggregator '${name}'`, aggregatorText(one)]));
}

function aggregatorText(aggregator: AnyAggregator): string {
  if ('kind' in aggregator) {
    const { name, input } = aggregator;
    return `${name}(${isFieldPath(input) ? input.path : input === undefined ? '' : Expression.is(input) ? expressionText(input) : valueText(input)})`;
  }
  const { init, add, merge, result } = aggregator;
  return [init, add, merge, result].map((part) => (part === undefined ? 'none' : valueText(part))).join(' / ');
}
