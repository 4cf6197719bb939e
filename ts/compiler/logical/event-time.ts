import type { Pipeline } from '../logical-plan.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';

/** Whether the records behind each operator have an event time, by id. Those of a future do where those that fill it do. */
export function timedOperators(pipeline: Pipeline): readonly boolean[] {
  const transformations = pipeline as readonly Transformation[];
  // What goes around keeps the time that it came with: all do, until one is found that cannot.
  let timed: boolean[] = transformations.map(() => true);
  for (let before: boolean[] = []; before.some((was, id) => was !== timed[id]) || before.length !== timed.length; ) {
    before = timed;
    timed = [];
    for (const transformation of transformations) {
      const isTimed = transformation.kind === 'fromFuture' ? transformation.filledBy !== undefined && before[transformation.filledBy.id]! : carriesTime(transformation, ({ id }) => timed[id]!);
      timed.push(isTimed);
    }
  }
  return timed;
}

/** Whether the records behind an operator have an event time, given whether those of its inputs do. */
export function carriesTime(transformation: Transformation, isTimed: (input: BaseTransformation) => boolean): boolean {
  switch (transformation.kind) {
    case 'source':
    case 'fromFuture':
    // A result belongs to no one moment: it holds what came over all of time.
    case 'reduce':
    case 'aggregate':
      return false;
    case 'window': {
      // A window of records, or of all time, belongs to no one moment.
      const { kind } = transformation.settings.assigner;
      return kind !== 'count' && kind !== 'global' && isTimed(transformation.inputs[0]!);
    }
    case 'assignTimestamps':
      return true;
    case 'sideOutput':
      // A dead letter may be one because it has no time.
      return transformation.channel !== 'deadLetters' && isTimed(transformation.inputs[0]!);
    default:
      return transformation.inputs.every((input) => isTimed(input));
  }
}
