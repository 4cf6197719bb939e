import { planError } from '../../common/errors.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { timedOperators } from '../logical/event-time.ts';
import { describeMixed, findMixedEventTime, type MixedEventTime } from '../logical/mixed-event-time.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * What compares event times needs records that have one, in all of its inputs. Where only some streams of a union or of a join have
 * event time, windows would silently go by the clock: that is refused too.
 *
 * @throws SageError SAGE_PLAN_EVENT_TIME.
 */
export function checkEventTime(pipeline: Pipeline): void {
  const timed = timedOperators(pipeline);
  const isTimed = ({ id }: BaseTransformation): boolean => timed[id]!;
  for (const transformation of pipeline as readonly Transformation[]) {
    if (transformation.inputs.every(isTimed)) continue;
    const mixed = needsOneTime(transformation) ? findMixedEventTime(transformation, isTimed) : undefined;
    if (mixed !== undefined && !(comparesTimes(transformation) && transformation.inputs.includes(mixed.at))) throw mixedTimes(transformation, mixed);
    if (comparesTimes(transformation)) throw noTimes(transformation, isTimed);
  }
}

/** Whether it makes no sense without event time. */
function comparesTimes(transformation: Transformation): boolean {
  if (transformation.kind === 'asOfJoin') return transformation.settings.table === undefined || transformation.settings.table.time === 'event';
  return transformation.kind === 'intervalJoin';
}

/** Whether it goes by event time or by the clock, as its records have event time or not. */
function needsOneTime(transformation: Transformation): boolean {
  switch (transformation.kind) {
    case 'window': {
      const { kind } = transformation.settings.assigner;
      // Windows of records do not ask for the time, nor does a global one.
      return kind !== 'count' && kind !== 'global';
    }
    case 'asOfJoin':
      return transformation.settings.table?.time !== 'processing';
    case 'intervalJoin':
      return true;
    default:
      return false;
  }
}

function mixedTimes(transformation: Transformation, mixed: MixedEventTime): Error {
  const { withTime, without } = mixed;
  const table = transformation.kind === 'asOfJoin' && transformation.settings.table !== undefined;
  return planError('SAGE_PLAN_EVENT_TIME', {
    message: `'${transformation.name}' ${comparesTimes(transformation) ? 'compares event times' : 'would go by the clock'}: ${describeMixed(mixed, transformation)}`,
    expected: 'event time in all of these streams, or in none of them',
    found: `no assignTimestamps before '${without.name}'`,
    fix: `Call assignTimestamps('at', { outOfOrdernessMs: 5000 }) on the stream before '${without.name}'${table ? ", or write join(table, { time: 'processing' }, fn)" : ''}.`,
    declaredAt: transformation.declaredAt,
    related: [
      { what: `'${without.name}', whose records have no event time`, declaredAt: without.declaredAt },
      { what: `'${withTime.name}', whose records have one`, declaredAt: withTime.declaredAt },
    ],
    operator: transformation.name,
  });
}

function noTimes(transformation: Transformation, isTimed: (input: BaseTransformation) => boolean): Error {
  // Its input puts the sides together.
  const sides = transformation.inputs[0]!.inputs;
  const untimed = sides.find((side) => !isTimed(side)) ?? sides[0]!;
  return planError('SAGE_PLAN_EVENT_TIME', {
    message: `'${transformation.name}' compares event times, but the records of '${untimed.name}' have none`,
    expected: 'event time in both streams of the join',
    found: `no assignTimestamps before '${untimed.name}'`,
    fix: "Call assignTimestamps('at', { outOfOrdernessMs: 5000 }) on the stream before it.",
    declaredAt: transformation.declaredAt,
    related: [{ what: `'${untimed.name}', whose records have no event time`, declaredAt: untimed.declaredAt }],
    operator: transformation.name,
  });
}
