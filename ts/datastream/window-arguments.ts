import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { Windows } from '../functions/windows/windows.ts';
import { checkMerges } from './trigger-argument.ts';
import type { WindowSettings } from '../transformations/window-transformation.ts';

/** Windows of so many seconds, one after the other. */
export interface TimeWindow {
  /** Seconds. */
  readonly timeWindow: number;
}

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
  const seconds = secondsOf(value);
  if (seconds !== undefined) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `timeWindow of window is ${describeValue(seconds)}`,
      expected: 'a number of seconds, at least 0.001',
      found: describeValue(seconds),
      fix: "Write window({ timeWindow: 60 }), or window(tumbling('1m')).",
      declaredAt,
    });
  }
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `window was given ${describeValue(value)}`,
    expected: "tumbling('10s'), sliding('10s', '2s'), session('30s'), globalWindow(), countWindow(100), or { timeWindow: seconds }",
    found: describeValue(value),
    fix: typeof value === 'number' ? `Write window(tumbling(${value})) for windows of so many milliseconds.` : "Write window(tumbling('10s')).",
    declaredAt,
  });
}

/** Of `{ timeWindow }` with nothing else: what stands there instead of seconds. */
function secondsOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('timeWindow' in value) || Object.keys(value).length !== 1) return undefined;
  return value.timeWindow;
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

/** @throws SageError SAGE_PLAN_ARGUMENT for settings that say nothing of windows of records, which close with their last record; SAGE_PLAN_FUNCTION for a trigger that sessions cannot have. */
export function checkWindowSettings({ assigner, trigger, accumulation, allowedLatenessMs }: WindowSettings, declaredAt: SourceLocation): void {
  if (assigner.kind === 'session' && trigger.kind === 'custom') checkMerges(trigger.fn, declaredAt);
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
