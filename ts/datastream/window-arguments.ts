import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { Trigger } from '../functions/windows/trigger.ts';
import type { Windows } from '../functions/windows/windows.ts';
import type { WindowSettings } from '../transformations/window-transformation.ts';

/** Windows of so many seconds, one after the other. */
export interface TimeWindow {
  /** Seconds. */
  readonly timeWindow: number;
}

const KINDS: ReadonlySet<unknown> = new Set(['time', 'count', 'processingTime', 'early']);

/** What `window` was given. @throws SageError SAGE_PLAN_ARGUMENT */
export function toWindowSettings(value: unknown, declaredAt: SourceLocation): WindowSettings {
  const rest = { trigger: { kind: 'time' }, accumulation: 'accumulating', allowedLatenessMs: 0, lateTag: undefined } as const;
  if (typeof value === 'object' && value !== null) {
    const { kind, assigner, timeWindow } = value as Partial<Windows & TimeWindow>;
    if (kind === 'windows' && assigner !== undefined) return { assigner, ...rest };
    if (typeof timeWindow === 'number' && Number.isFinite(timeWindow) && timeWindow * 1000 >= 1 && Object.keys(value).length === 1) {
      return { assigner: { kind: 'tumbling', sizeMs: timeWindow * 1000, offsetMs: 0, timeZone: undefined }, ...rest };
    }
  }
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `window was given ${describeValue(value)}`,
    expected: "tumbling('10s'), sliding('10s', '2s'), session('30s'), globalWindow(), countWindow(100), or { timeWindow: seconds }",
    found: describeValue(value),
    fix: "Write window(tumbling('10s')).",
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT */
export function checkTrigger(value: unknown, declaredAt: SourceLocation): Trigger {
  if (typeof value === 'object' && value !== null && KINDS.has((value as Partial<Trigger>).kind)) return value as Trigger;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `trigger was given ${describeValue(value)}`,
    expected: "atEnd(), everyCount(100), everyPeriod('1s'), or early(...) of one of these",
    found: describeValue(value),
    fix: "Write trigger(early(everyPeriod('1s'))).",
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT */
export function checkAccumulation(value: unknown, declaredAt: SourceLocation): WindowSettings['accumulation'] {
  if (value === 'accumulating' || value === 'discarding') return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `panes was given ${describeValue(value)}`,
    expected: "'accumulating' or 'discarding'",
    found: describeValue(value),
    fix: "Write panes('discarding').",
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT for a result that would take the place of the window itself. */
export function checkWindowNames(spec: Readonly<Record<string, unknown>>, declaredAt: SourceLocation): void {
  if (!Object.hasOwn(spec, 'window')) return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: "a result of aggregate is named 'window'",
    expected: "other names: 'window' holds the start and the end of the window",
    found: Object.keys(spec).map((name) => `'${name}'`).join(', '),
    fix: "Rename it, for instance to 'windowValue'.",
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT for settings that say nothing of windows of records: these close with their last record. */
export function checkWindowSettings({ assigner, trigger, accumulation, allowedLatenessMs }: WindowSettings, declaredAt: SourceLocation): void {
  if (assigner.kind !== 'count') return;
  const call = trigger.kind === 'time' ? (allowedLatenessMs > 0 ? 'allowedLateness' : accumulation === 'discarding' ? "panes('discarding')" : undefined) : 'trigger';
  if (call === undefined) return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `${call} was called on windows of ${assigner.size} records, which give one result, with their last record`,
    expected: 'windows of time, or a global window',
    fix: `Leave ${call} away, or write window(globalWindow()).trigger(everyCount(${assigner.size})).panes('discarding').`,
    declaredAt,
  });
}
