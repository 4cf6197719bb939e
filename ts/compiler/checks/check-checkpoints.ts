import { planError } from '../../common/errors.ts';
import { isSeekable } from '../../functions/seekable.ts';
import type { UserFunction } from '../../functions/user-function.ts';
import { hasCheckpoints, mayRestart } from '../../transformations/checkpoint-settings.ts';
import type { SinkTransformation } from '../../transformations/sink-transformation.ts';
import type { SourceDescriptor } from '../../transformations/source-descriptor.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { PlanConfig } from '../compile-options.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * How a source goes on after a restart: `exact` from where it was; `replayed` from its beginning, without what it has given before; or `never`, as
 * its records are gone, or without end.
 */
export type SourceReplay = 'exact' | 'replayed' | 'never';

/** How the source of a job with checkpoints, or with restarts, goes on. */
export function replayOf(source: SourceDescriptor): SourceReplay {
  switch (source.form) {
    case 'collection':
    case 'native':
      return 'exact';
    case 'iterable':
      if (source.replay === 'seekable') return 'exact';
      return source.replay === 'again' && source.bounded ? 'replayed' : 'never';
    case 'function':
    case 'batch':
      if (isSeekableFunction(source.fn)) return 'exact';
      return source.bounded ? 'replayed' : 'never';
  }
}

function isSeekableFunction(fn: UserFunction): boolean {
  return isSeekable(fn.form === 'class' ? fn.ctor.prototype : fn.form === 'instance' ? fn.object : fn.fn);
}

/**
 * With checkpoints, or restarts, each source has to be able to go on; with restarts each sink has to be there for the next attempt.
 *
 * @throws SageError SAGE_CHECKPOINT_SOURCE with the line of a source that cannot, SAGE_PLAN_SINK with that of a stream that is not
 */
export function checkCheckpoints(pipeline: Pipeline, config: PlanConfig): void {
  const what = hasCheckpoints(config) ? 'checkpoints' : mayRestart(config) ? 'restarts' : undefined;
  if (what === undefined) return;
  for (const transformation of pipeline as readonly Transformation[]) {
    if (transformation.kind === 'sink' && mayRestart(config)) checkStreamStays(transformation);
    if (transformation.kind !== 'source') continue;
    const { source, name, declaredAt } = transformation;
    if (replayOf(source) !== 'never') continue;
    const isOnce = source.form === 'iterable' && source.replay === 'once';
    throw planError('SAGE_CHECKPOINT_SOURCE', {
      message: `the source '${name}' cannot go on after a restart, and the job has ${what}`,
      expected: 'a source that can be read again: a file, an array, a generator function, or one with the methods position() and seek(position)',
      found: isOnce ? 'one that can be read once' : 'one without end that has no position() and seek()',
      fix: isOnce
        ? 'Give a function that makes the stream, or an iterator or SourceFunction with position() and seek(position).'
        : 'Give a SourceFunction or an iterator with position(), which says how far it is, and seek(position), which goes on there.',
      declaredAt,
      operator: name,
    });
  }
}

/** A stream that ends with the job is destroyed by the first failure, and takes nothing of the next attempt. */
function checkStreamStays({ sink, name, declaredAt }: SinkTransformation): void {
  if (sink.form !== 'stream' || !sink.ends) return;
  throw planError('SAGE_PLAN_SINK', {
    message: `the ${sink.name} of sink '${name}' is destroyed when the job fails, and the job is to start again then`,
    expected: 'a stream that stays open, in a job with restarts',
    fix: `Write sink(stream, { end: false }), and end the stream when the job's completion has settled.`,
    declaredAt,
    operator: name,
  });
}
