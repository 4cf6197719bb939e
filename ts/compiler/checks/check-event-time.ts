import { planError } from '../../common/errors.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { carriesTime } from '../logical/event-time.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * What compares event times needs records that have one.
 *
 * @throws SageError SAGE_PLAN_EVENT_TIME.
 */
export function checkEventTime(pipeline: Pipeline): void {
  const timed: boolean[] = [];
  for (const transformation of pipeline as readonly Transformation[]) {
    timed.push(carriesTime(transformation, ({ id }) => timed[id]!));
    const compares = transformation.kind === 'intervalJoin' || transformation.kind === 'asOfJoin';
    if (!compares || transformation.inputs.every(({ id }) => timed[id]!)) continue;
    // Its input puts the sides together.
    const sides = transformation.inputs[0]!.inputs;
    const untimed = sides.find(({ id }) => !timed[id]!) ?? sides[0]!;
    throw planError('SAGE_PLAN_EVENT_TIME', {
      message: `'${transformation.name}' compares event times, but the records of '${untimed.name}' have none`,
      expected: 'event time in both streams of the join',
      found: `no assignTimestamps before '${untimed.name}'`,
      fix: "Call assignTimestamps('at', { outOfOrdernessMs: 5000 }) on the stream before it.",
      declaredAt: transformation.declaredAt,
      related: [{ what: `'${untimed.name}', whose records have no event time`, declaredAt: untimed.declaredAt }],
      operator: transformation.name,
    });
  }
}
