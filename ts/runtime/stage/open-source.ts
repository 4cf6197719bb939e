import type { StageNode } from '../../compiler/physical-plan.ts';
import { isSeekable, type Seekable } from '../../functions/seekable.ts';
import { END } from '../../functions/source-function.ts';
import type { UserFunction } from '../../functions/user-function.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import type { RecordIterator } from '../../transformations/source-descriptor.ts';
import { type CountedSource, CountedCursor, PositionCursor } from '../checkpoint/source-cursor.ts';
import { isThenable } from './is-thenable.ts';
import { iteratorResult } from './iterator-result.ts';
import { type OpenedSource, openCollection, openFunction, openIterator } from './opened-source.ts';
import { retryingPull } from './retrying-pull.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { TaskSpec } from './stage-factory.ts';

/**
 * Opens the source of a node in one of its instances; `bind` makes its function, where it has one.
 *
 * @param keepsPosition whether the job has checkpoints: a source that knows how far it is says so before each record. Without, it is asked now and
 *   then, as a savepoint may come
 */
export function openSource(
  node: StageNode,
  spec: TaskSpec,
  instances: number,
  bind: (node: StageNode, fn: UserFunction) => unknown,
  bindings: StageBindings,
  keepsPosition: boolean,
): OpenedSource {
  if (node.op.kind !== 'source') throw new TypeError(`operator '${node.op.kind}' is no source`);
  const { source } = node.op;
  switch (source.form) {
    case 'collection':
      return openCollection(node.id, source.items, spec.instance, instances);
    case 'iterable': {
      const iterator = source.open();
      const pull = (): unknown => iterator.next();
      const read = (settled: unknown): Pulled => (iteratorResult(settled).done === true ? 'end' : 'record');
      const again = countedSource(pull, read, bindings);
      if (isSeekable(iterator)) {
        const cursor = new PositionCursor(iterator as Seekable, again, { instance: spec.instance, instances, nowMs: keepsPosition ? undefined : bindings.pace.nowMs });
        return openIterator(node.id, keepsPosition ? askingIterator(iterator, cursor) : iterator, cursor);
      }
      return openIterator(node.id, iterator, new CountedCursor(again, spec.instance, instances));
    }
    case 'function':
    case 'batch': {
      const fn = bind(node, source.fn) as (() => unknown) | { execute(): unknown };
      const pull = typeof fn === 'function' ? fn : () => fn.execute();
      const patient = isTolerant(node.operator.transformation.errorPolicy) ? retryingPull(pull, node, bindings) : pull;
      const ends = source.form === 'batch' ? 'batch' : 'source';
      const read = (pulled: unknown): Pulled => {
        if (ends === 'batch') return pulled === null || pulled === undefined ? 'end' : 'record';
        return pulled === END ? 'end' : pulled === undefined ? 'nothing' : 'record';
      };
      const again = countedSource(patient, read, bindings);
      if (isSeekable(fn)) {
        const cursor = new PositionCursor(fn as Seekable, again, { instance: spec.instance, instances, nowMs: keepsPosition ? undefined : bindings.pace.nowMs });
        return openFunction(node.id, keepsPosition ? askingPull(patient, cursor) : patient, ends, cursor);
      }
      return openFunction(node.id, patient, ends, new CountedCursor(again, spec.instance, instances));
    }
    case 'native':
      throw new TypeError('a native source is a stage of its own');
  }
}

type Pulled = 'record' | 'nothing' | 'end';

function countedSource(pull: () => unknown, read: (given: unknown) => Pulled, { control, restSource, turn }: StageBindings): CountedSource {
  return {
    pull: () => {
      control.checkNotOver();
      const given = pull();
      return isThenable(given) ? Promise.resolve(given).then(read) : read(given);
    },
    rest: restSource,
    turn,
  };
}

/** Tells a cursor before each record that one is asked for, and that it has come: of a promise, when what it gave goes down the pipeline. */
function askingPull(pull: () => unknown, cursor: PositionCursor): () => unknown {
  return () => {
    cursor.asked();
    const given = pull();
    if (!isThenable(given)) cursor.answered();
    return given;
  };
}

function askingIterator(iterator: RecordIterator, cursor: PositionCursor): RecordIterator {
  const next = askingPull(() => iterator.next(), cursor) as RecordIterator['next'];
  return {
    next,
    return: () => iterator.return?.(),
    get isQuiet() {
      return iterator.isQuiet === true;
    },
  };
}
