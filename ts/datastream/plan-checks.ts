import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { isBuiltinAggregator, isUserAggregator } from '../functions/aggregator.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { AggregateTransformation, type AnyAggregator } from '../transformations/aggregate-transformation.ts';
import { MAX_PARALLELISM, type BaseTransformation, type Parallelism } from '../transformations/base-transformation.ts';
import type { Emit } from '../transformations/emit.ts';
import { type ErrorPolicy, isTolerant } from '../transformations/error-policy.ts';
import { ReduceTransformation } from '../transformations/reduce-transformation.ts';
import { sourceInstances } from '../transformations/source-descriptor.ts';
import { SourceTransformation } from '../transformations/source-transformation.ts';
import type { Transformation } from '../transformations/transformation.ts';

/** @throws SageError SAGE_PLAN_PARALLELISM unless it is a whole number from 1 to the largest that there is, or `'auto'`. */
export function checkParallelism(value: unknown, declaredAt: SourceLocation): Parallelism {
  if (value === 'auto' || (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_PARALLELISM)) return value;
  throw planError('SAGE_PLAN_PARALLELISM', {
    message: `parallelism was given ${describeValue(value)}`,
    expected: `a whole number from 1 to ${MAX_PARALLELISM}, or 'auto'`,
    fix: 'Write 1 for one instance, or leave it away.',
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_PARALLELISM when the operator can only have one instance and more are asked for. */
export function checkInstances(operator: BaseTransformation, parallelism: Parallelism, declaredAt: SourceLocation): void {
  if (parallelism === 'auto' || parallelism === 1) return;
  let reason: string | undefined;
  let fix: string | undefined;
  if (operator instanceof SourceTransformation && sourceInstances(operator.source) === 'one') {
    reason = 'its input cannot be split, and every record would be read several times';
    fix = 'Set the parallelism on the operator behind it; records are spread over its instances.';
  } else if ((operator instanceof ReduceTransformation || operator instanceof AggregateTransformation) && !operator.keyed) {
    reason = `${operator.kind} without keyBy is over all records`;
    fix = `Call keyBy before ${operator.kind} for a result for each key, or leave the parallelism away.`;
  }
  if (reason === undefined) return;
  throw planError('SAGE_PLAN_PARALLELISM', {
    message: `'${operator.name}' cannot have ${parallelism} instances: ${reason}`,
    expected: 'one instance',
    fix,
    declaredAt,
    operator: operator.name,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT when nothing at the operator can fail, or when a source was told to go on without the record that it could not give. */
export function checkCanFail(operator: BaseTransformation, policy: ErrorPolicy, declaredAt: SourceLocation): void {
  if (!operator.canFail && isTolerant(policy)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `onError was called on '${operator.name}', at which no record can fail`,
      expected: 'an operator with a function of yours',
      fix: 'Call onError right behind the operator whose errors it is for.',
      declaredAt,
      operator: operator.name,
    });
  }
}

/** @throws SageError SAGE_PLAN_ARGUMENT when the operator has no function class, which alone can call `output`. */
export function checkHasOutputs(operator: BaseTransformation, declaredAt: SourceLocation): void {
  const fn = functionWithOutputs(operator as Transformation);
  if (fn !== undefined && fn.form !== 'lambda') return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `sideOutput was called on '${operator.name}', which has no side outputs`,
    expected: 'an operator with a function class that calls this.output(tag, record)',
    fix: 'Call sideOutput right behind map, filter, flatMap, process, route or sink of such a class.',
    declaredAt,
    operator: operator.name,
  });
}

/** Calls of a mapAsync that are in flight at the same time could not be told apart. */
function functionWithOutputs(transformation: Transformation): UserFunction | undefined {
  switch (transformation.kind) {
    case 'map':
    case 'filter':
    case 'flatMap':
    case 'process':
      return transformation.fn;
    case 'route':
      return transformation.router;
    case 'sink':
      return transformation.sink.form === 'function' ? transformation.sink.fn : undefined;
    default:
      return undefined;
  }
}

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is a text that is not empty. */
export function checkText(value: unknown, call: string, declaredAt: SourceLocation): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `${call} was given ${describeValue(value)}`,
    expected: 'a text that is not empty',
    fix: `Write ${call}('orders').`,
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_DUPLICATE_UID when another operator has it. */
export function checkUid(
  value: unknown,
  owner: BaseTransformation | undefined,
  pipeline: readonly BaseTransformation[],
  declaredAt: SourceLocation,
): string {
  const uid = checkText(value, 'uid', declaredAt);
  const other = pipeline.find((transformation) => transformation !== owner && transformation.uid === uid);
  if (other === undefined) return uid;
  throw planError('SAGE_PLAN_DUPLICATE_UID', {
    message: `the uid '${uid}' already belongs to '${other.name}' (line ${other.declaredAt.line} of ${other.declaredAt.file})`,
    expected: 'a uid that no other operator of the environment has',
    fix: `Write .uid('${uid}-2') or another name of its own.`,
    declaredAt,
    operator: owner?.name,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is a plain object (or left away) with no other names than `allowed`. */
export function checkOptions(
  value: unknown,
  allowed: readonly string[],
  call: string,
  declaredAt: SourceLocation,
): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  const example = `${call}(..., { ${allowed[0]}: ... })`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `the options of ${call} are ${describeValue(value)}`,
      expected: `an object with ${allowed.join(', ')}`,
      fix: `Write ${example}.`,
      declaredAt,
    });
  }
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} has no option '${unknown}'`,
      expected: `one of ${allowed.join(', ')}`,
      fix: `Remove '${unknown}' or correct its name.`,
      declaredAt,
    });
  }
  return value as Readonly<Record<string, unknown>>;
}

/** @throws SageError SAGE_PLAN_ARGUMENT for another form than {@link Emit}. */
export function checkEmit(value: unknown, call: string, declaredAt: SourceLocation): Emit {
  if (value === undefined) return 'final';
  if (value === 'final' || value === 'update') return value;
  if (typeof value === 'object' && value !== null) {
    const { everyMs } = value as { everyMs?: unknown };
    if (typeof everyMs === 'number' && Number.isFinite(everyMs) && everyMs > 0) return { everyMs };
  }
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `emit of ${call} is ${describeValue(value)}`,
    expected: "'final', 'update', or { everyMs: milliseconds above 0 }",
    fix: `Write ${call}(..., { emit: 'update' }).`,
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_KEY_STRATEGY behind a keyBy that does not bring equal keys together. */
export function checkKeyedState(input: BaseTransformation, call: string, declaredAt: SourceLocation): void {
  const keyBy = input.keyedBy;
  if (keyBy === undefined || keyBy.strategy === 'hash') return;
  const effect =
    keyBy.strategy === 'broadcast' ? 'sends every record to every instance' : 'spreads the records of a key over instances';
  throw planError('SAGE_PLAN_KEY_STRATEGY', {
    message: `${call} cannot follow '${keyBy.name}', whose strategy '${keyBy.strategy}' ${effect}`,
    expected: "a keyBy with the strategy 'hash'",
    fix: `Leave the strategy of '${keyBy.name}' away, or call keyBy again before ${call}.`,
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is an object of aggregators with at least one name. */
export function checkAggregateSpec(
  value: unknown,
  keyed: boolean,
  declaredAt: SourceLocation,
): Readonly<Record<string, AnyAggregator>> {
  const example = "aggregate({ orders: count(), total: sum('price') })";
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    const what = typeof value === 'object' && value !== null && !Array.isArray(value) ? 'an empty object' : describeValue(value);
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `aggregate was given ${what}`,
      expected: 'an object that names at least one aggregator',
      fix: `Write ${example}.`,
      declaredAt,
    });
  }
  for (const [name, aggregator] of Object.entries(value)) {
    if (!isBuiltinAggregator(aggregator) && !isUserAggregator(aggregator)) {
      throw planError('SAGE_PLAN_ARGUMENT', {
        message: `'${name}' of aggregate is ${describeValue(aggregator)}${whatItLacks(aggregator)}`,
        expected: 'an aggregator: count(), sum(...), ..., or an object with the functions init, add and result, and perhaps merge',
        fix: isClass(aggregator)
          ? `Give an object of it: new ${aggregator.name}().`
          : typeof aggregator === 'function'
            ? `Call it: ${example}.`
            : typeof aggregator === 'object' && aggregator !== null
              ? 'Write { init: () => 0, add: (total, record) => total + record.price, result: (total) => total }.'
              : `Write ${example}.`,
        declaredAt,
      });
    }
  }
  if (keyed && Object.hasOwn(value, 'key')) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: "a result of aggregate is named 'key'",
      expected: "other names: on a keyed stream 'key' holds the key",
      fix: "Rename it, for instance to 'keyValue'.",
      declaredAt,
    });
  }
  return { ...(value as Record<string, AnyAggregator>) };
}

/** What keeps an object from being an aggregator, to be put behind its description. */
function whatItLacks(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const parts = value as Readonly<Record<string, unknown>>;
  const missing = ['init', 'add', 'result'].find((name) => typeof parts[name] !== 'function');
  if (missing !== undefined) return parts[missing] === undefined ? ` without ${missing}` : ` whose ${missing} is ${describeValue(parts[missing])}`;
  return ` whose merge is ${describeValue(parts['merge'])}`;
}
