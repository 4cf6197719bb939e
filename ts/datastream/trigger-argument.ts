import { counted } from '../common/counted.ts';
import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { checkArguments, describeValue } from '../functions/check-user-function.ts';
import { type FunctionClass, isClass } from '../functions/class-detection.ts';
import { type ClassUserFunction, classFunction, functionName, type InstanceUserFunction, instanceFunction } from '../functions/user-function.ts';
import type { Trigger } from '../functions/windows/trigger.ts';
import type { UserTrigger } from '../transformations/window-transformation.ts';

const KINDS: ReadonlySet<unknown> = new Set(['time', 'count', 'processingTime', 'early']);

const EXPECTED = "atEnd(), everyCount(100), everyPeriod('1s'), early(...) of one of these, or an object or a class with onElement";

/** The methods that a trigger has, if it has them. */
const OPTIONAL_METHODS = ['init', 'onEventTime', 'onProcessingTime', 'onMerge'] as const;

/** What `trigger` was given. @throws SageError SAGE_PLAN_ARGUMENT, SAGE_PLAN_FUNCTION, SAGE_PLAN_UNCLONEABLE */
export function checkTrigger(value: unknown, args: readonly unknown[], declaredAt: SourceLocation): Trigger | UserTrigger {
  if (typeof value === 'function' && isTriggerClass(value)) {
    checkMethods(value.prototype as object, value, declaredAt);
    checkArguments(value.name, args, { declaredAt });
    return { kind: 'custom', fn: classFunction(value as FunctionClass, args, 'onElement') };
  }
  if (args.length > 0) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `trigger was given ${counted(args.length, 'more argument')} behind ${describeValue(value)}`,
      expected: 'further arguments behind a class only: they are those of its constructor',
      found: describeValue(value),
      fix: 'Remove them, or give the class: trigger(MyTrigger, ...args).',
      declaredAt,
    });
  }
  if (typeof value === 'object' && value !== null) {
    if (KINDS.has((value as Partial<Trigger>).kind)) return value as Trigger;
    if (['onElement', ...OPTIONAL_METHODS].some((name) => name in value)) {
      checkMethods(value, value, declaredAt);
      return { kind: 'custom', fn: instanceFunction(value, 'onElement') };
    }
  }
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `trigger was given ${describeValue(value)}`,
    expected: EXPECTED,
    found: describeValue(value),
    fix: "Write trigger(early(everyPeriod('1s'))).",
    declaredAt,
  });
}

/** Its objects are asked, where methods are fields of them: the class is only known to be one. */
function isTriggerClass(value: object): boolean {
  return isClass(value) || typeof (value as { prototype?: { onElement?: unknown } }).prototype?.onElement === 'function';
}

function checkMethods(methods: object, value: unknown, declaredAt: SourceLocation): void {
  const { onElement, ...others } = pick(methods);
  const isField = typeof value === 'function' && onElement === undefined && /\bonElement\b/.test(Function.prototype.toString.call(value));
  const wrong = Object.entries(others).find(([, method]) => method !== undefined && typeof method !== 'function');
  if (wrong === undefined && (typeof onElement === 'function' || isField)) return;
  throw planError('SAGE_PLAN_FUNCTION', {
    message: wrong === undefined ? `trigger was given ${describeValue(value)}, which has no onElement method` : `trigger was given ${describeValue(value)}, whose ${wrong[0]} is ${describeValue(wrong[1])}`,
    expected: 'onElement(element, window, ctx), and perhaps init, onEventTime, onProcessingTime and onMerge',
    found: describeValue(value),
    fix: wrong === undefined ? "Add onElement(element, window, ctx) { return 'continue'; }." : `Make ${wrong[0]} a method, or leave it away.`,
    declaredAt,
  });
}

function pick(methods: object): Record<'onElement' | (typeof OPTIONAL_METHODS)[number], unknown> {
  const { onElement, init, onEventTime, onProcessingTime, onMerge } = methods as Readonly<Record<string, unknown>>;
  return { onElement, init, onEventTime, onProcessingTime, onMerge };
}

/** Sessions merge, and with them the states of their trigger. @throws SageError SAGE_PLAN_FUNCTION */
export function checkMerges(fn: ClassUserFunction | InstanceUserFunction, declaredAt: SourceLocation): void {
  const { init, onMerge } = pick(fn.form === 'class' ? (fn.ctor.prototype as object) : fn.object);
  if (typeof init !== 'function' || typeof onMerge === 'function') return;
  throw planError('SAGE_PLAN_FUNCTION', {
    message: `the trigger of sessions has init and no onMerge: what becomes of its states when sessions merge is not known`,
    expected: 'onMerge(windows, into, ctx), as sessions merge',
    found: functionName(fn) === 'Object' ? 'an object without onMerge' : `${functionName(fn)} without onMerge`,
    fix: 'Add onMerge(windows, into, ctx), which sets ctx.state to what is to be kept of the states in windows.',
    declaredAt,
  });
}
