import type { ErrorCode } from '../../common/errors.ts';
import { isMainSink, isStandardOutput } from '../../transformations/sink-descriptor.ts';
import { describePath, type SourceDescriptor, sourceInstances } from '../../transformations/source-descriptor.ts';
import type { Transformation } from '../../transformations/transformation.ts';

/** Why an operator has one instance whatever the environment's parallelism is. */
export interface SingleInstance {
  /** Goes on after "but": `a generator cannot be split`. */
  readonly reason: string;
  /** What the user can do instead. */
  readonly fix: string;
  /** Code of the error when the user asked for more. */
  readonly code: ErrorCode;
}

/** Why the operator cannot have more than one instance; `undefined` when it can. */
export function singleInstanceReason(transformation: Transformation): SingleInstance | undefined {
  switch (transformation.kind) {
    case 'source':
      return sourceReason(transformation.source);
    case 'reduce':
    case 'aggregate':
      if (transformation.keyed) return undefined;
      return {
        reason: `${transformation.kind} without a key is global`,
        fix: 'Call keyBy before it, or leave its parallelism away.',
        code: 'SAGE_PLAN_PARALLELISM',
      };
    case 'window':
      if (transformation.keyed) return undefined;
      return {
        reason: 'windows without a key are over all records',
        fix: 'Call keyBy before it, or leave its parallelism away.',
        code: 'SAGE_PLAN_PARALLELISM',
      };
    case 'dedup':
    case 'limit':
      if (transformation.keyed) return undefined;
      return {
        reason: `${transformation.kind} without a key is over all records`,
        fix: 'Call keyBy before it, or leave its parallelism away.',
        code: 'SAGE_PLAN_PARALLELISM',
      };
    case 'sink':
      return sinkReason(transformation.sink);
    default:
      return undefined;
  }
}

function sourceReason(source: SourceDescriptor): SingleInstance | undefined {
  if (sourceInstances(source) !== 'one') return undefined;
  return {
    reason: `${describeSource(source)} cannot be split`,
    fix: 'Leave the parallelism of the source away and set it on the operators behind it.',
    code: 'SAGE_PLAN_PARALLELISM',
  };
}

function sinkReason(sink: Extract<Transformation, { kind: 'sink' }>['sink']): SingleInstance | undefined {
  if (isMainSink(sink)) {
    const what = { array: 'an array', collect: 'collect()', function: 'a function', stream: 'a stream', native: '' }[sink.form];
    return {
      reason: `${what} takes records in the main isolate, one at a time`,
      fix: 'Leave the parallelism of the sink away, or use a sink class.',
      code: 'SAGE_PLAN_PARALLELISM',
    };
  }
  if (sink.form !== 'native' || hasParts(sink.spec.path)) return undefined;
  if (isStandardOutput(sink.spec.path)) {
    return {
      reason: 'standard output can be written by one instance only',
      fix: 'Leave the parallelism of the sink away and set it on the operators before it.',
      code: 'SAGE_PLAN_OUTPUT_PATH',
    };
  }
  return {
    reason: `one file, '${sink.spec.path}', can be written by one instance only`,
    fix: "Put {part} into the path, or give a directory by a '/' at its end, for a file per instance.",
    code: 'SAGE_PLAN_OUTPUT_PATH',
  };
}

/** Whether each sink instance writes a file of its own. */
function hasParts(path: string): boolean {
  return path.includes('{part}') || path.endsWith('/');
}

/** The source in words that a message can go on with. */
export function describeSource(source: SourceDescriptor): string {
  switch (source.form) {
    case 'collection':
      return 'an array';
    case 'iterable':
      return `the iterable '${source.name}'`;
    case 'function':
    case 'batch':
      return source.fn.form === 'class' ? 'a source class' : source.fn.form === 'lambda' ? 'a function' : 'one source object';
    case 'native':
      return describePath(source.spec.path);
  }
}
