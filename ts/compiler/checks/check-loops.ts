import { planError, type SageError } from '../../common/errors.ts';
import { givesAtEnd } from '../../functions/gives-at-end.ts';
import { functionName, type UserFunction } from '../../functions/user-function.ts';
import type { AsOfJoinTransformation } from '../../transformations/as-of-join-transformation.ts';
import type { FromFutureTransformation } from '../../transformations/from-future-transformation.ts';
import type { IntervalJoinTransformation } from '../../transformations/interval-join-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { timedOperators } from '../logical/event-time.ts';
import { fillersOf, findLoops } from '../logical/loops.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * Each future is filled, by what comes from it; records can enter each loop; and no operator in one waits for the end of its
 * input, which would wait for the operator.
 *
 * @throws SageError SAGE_PLAN_FUTURE or SAGE_PLAN_LOOP.
 */
export function checkLoops(pipeline: Pipeline): void {
  const transformations = pipeline as readonly Transformation[];
  for (const transformation of transformations) if (transformation.kind === 'fromFuture' && transformation.filledBy === undefined) throw unfilled(transformation);
  const fillers = fillersOf(pipeline);
  if (fillers.length === 0) return;
  const loops = findLoops(pipeline);
  for (const { id, future, inputs, declaredAt, name } of fillers) {
    if (loops.of[id] !== undefined) continue;
    throw planError('SAGE_PLAN_LOOP', {
      message: `'${inputs[0]!.name}' fills the future '${future.name}' and does not come from it: there is no loop`,
      expected: 'a stream that has gone through the operators behind fromFuture',
      found: `a stream that '${future.name}' is not part of`,
      fix: `Use the stream of '${inputs[0]!.name}' itself where you use the future, for instance with union.`,
      declaredAt,
      related: [{ what: `the future '${future.name}'`, declaredAt: future.declaredAt }],
      operator: name,
    });
  }
  for (const filler of fillers) {
    const enters = transformations.some(({ id, inputs }) => loops.of[id] === loops.of[filler.id] && inputs.some((input) => loops.of[input.id] !== loops.of[id]));
    if (!enters) throw closed(filler.future);
  }
  const timed = timedOperators(pipeline);
  for (const transformation of transformations) {
    const loop = loops.of[transformation.id];
    const why = loop === undefined ? undefined : whyNot(transformation, transformation.inputs.every(({ id }) => timed[id]!));
    if (why === undefined) continue;
    const { future } = fillers.find(({ id }) => loops.of[id] === loop)!;
    throw planError('SAGE_PLAN_LOOP', {
      message: `'${transformation.name}' is in the loop of '${future.name}' and ${why.reason}`,
      expected: 'operators that give their results as records come, or by the clock',
      fix: `${why.fix}, or move it behind the loop.`,
      declaredAt: transformation.declaredAt,
      related: [{ what: `the future '${future.name}'`, declaredAt: future.declaredAt }],
      operator: transformation.name,
    });
  }
}

function unfilled(future: FromFutureTransformation): SageError {
  return planError('SAGE_PLAN_FUTURE', {
    message: `the future '${future.name}' was never filled`,
    expected: 'one fillFuture for each fromFuture',
    found: 'a future without one',
    fix: 'Call fillFuture with it on the stream whose records come back, or remove it.',
    declaredAt: future.declaredAt,
    operator: future.name,
  });
}

function closed(future: FromFutureTransformation): SageError {
  return planError('SAGE_PLAN_LOOP', {
    message: `no record can get into the loop of '${future.name}'`,
    expected: 'another stream whose records enter the loop',
    found: 'only the records of the loop itself',
    fix: `Write source.union(${future.name}), and go on with that.`,
    declaredAt: future.declaredAt,
    operator: future.name,
  });
}

/** Why an operator cannot be in a loop, in words that go on behind its name, and one way out. */
function whyNot(transformation: Transformation, takesTime: boolean): { readonly reason: string; readonly fix: string } | undefined {
  switch (transformation.kind) {
    case 'reduce':
    case 'aggregate':
      if (transformation.emit !== 'final') return undefined;
      return { reason: 'emits when its input has ended, which it does only behind the end of the loop', fix: "Give { emit: 'update' }" };
    case 'window': {
      const { kind } = transformation.settings.assigner;
      if (kind === 'count' || kind === 'global') return { reason: 'holds windows that may never be full', fix: "Use batch, or aggregate with { emit: 'update' }" };
      if (!takesTime) return undefined;
      return { reason: 'is a window of event time, while records that go around come later than the watermark', fix: 'Use windows of processing time, on records without timestamps' };
    }
    case 'intervalJoin':
    case 'asOfJoin':
      // A table by processing time joins with the row at hand, and waits for nothing.
      if (!waitsForEventTime(transformation, takesTime)) return undefined;
      return { reason: 'compares event times, while records that go around come later than the watermark', fix: 'Keep what is to be joined in the state of a KeyedProcessFunction' };
    case 'process':
    case 'join':
    case 'broadcastProcess':
      if (!hasFinish(transformation.fn)) return undefined;
      return { reason: `gives records in finish() of ${functionName(transformation.fn)}, when no more records can go around`, fix: 'Collect in execute()' };
    default:
      return undefined;
  }
}

function waitsForEventTime(join: IntervalJoinTransformation | AsOfJoinTransformation, takesTime: boolean): boolean {
  const table = join.kind === 'asOfJoin' ? join.settings.table : undefined;
  return table === undefined || (takesTime && table.time !== 'processing');
}

function hasFinish(fn: UserFunction): boolean {
  const object: unknown = fn.form === 'class' ? fn.ctor.prototype : fn.form === 'instance' ? fn.object : undefined;
  return object !== undefined && givesAtEnd(object);
}
