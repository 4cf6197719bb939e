import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { isStandardSchema, type StandardSchema } from '../common/standard-schema.ts';
import { isBuiltinAggregator, isUserAggregator } from '../functions/aggregator.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { Expression } from '../functions/expressions/expression.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { AggregateTransformation, type AnyAggregator } from '../transformations/aggregate-transformation.ts';
import { MAX_PARALLELISM, type BaseTransformation, type Parallelism } from '../transformations/base-transformation.ts';
import type { Emit } from '../transformations/emit.ts';
import { type ErrorPolicy, isTolerant, outcomeOf } from '../transformations/error-policy.ts';
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
    found: describeValue(value),
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
    found: `the parallelism ${parallelism}`,
    fix,
    declaredAt,
    operator: operator.name,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT when nothing at the operator can fail, or when a source was told to go on without the record that it could not give. */
export function checkCanFail(operator: BaseTransformation, policy: ErrorPolicy, declaredAt: SourceLocation): void {
  if (!isTolerant(policy)) return;
  const wrong = (message: string, expected: string, fix: string): Error =>
    planError('SAGE_PLAN_ARGUMENT', { message, expected, fix, declaredAt, operator: operator.name });
  if (operator instanceof SourceTransformation) {
    if (!operator.canFail) {
      throw wrong(`onError was called on the source '${operator.name}', which is at its end when it has failed`, 'a source class, or a function that is called for each record', 'Handle the error inside the source, or behind it.');
    }
    if (outcomeOf(policy) === 'deadLetter') throw wrong(`the source '${operator.name}' has no record to put aside when it fails`, "'skip', or retries that end with 'fail' or 'skip'", "Write onError('skip') to ask the source for the next record.");
    return;
  }
  if (operator.canFail) return;
  if (operator.kind === 'sink') {
    throw wrong(`onError was called on '${operator.name}', whose file is written as a whole or not at all`, 'a sink with a function of yours, or an operator before it', 'Check the records in an operator before the sink, and call onError there.');
  }
  throw wrong(`onError was called on '${operator.name}', at which no record can fail`, 'an operator with a function of yours', 'Call onError right behind the operator whose errors it is for.');
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
    case 'filter':
      return Expression.is(transformation.fn) ? undefined : transformation.fn;
    case 'map':
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
    found: describeValue(value),
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
    message: `the uid '${uid}' already belongs to '${other.name}'`,
    expected: 'a uid that no other operator of the environment has',
    found: `'${uid}' a second time`,
    fix: `Write .uid('${uid}-2') or another name of its own.`,
    declaredAt,
    related: [{ what: `'${other.name}', which has it`, declaredAt: other.declaredAt }],
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
      found: describeValue(value),
      declaredAt,
    });
  }
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} has no option '${unknown}'`,
      expected: `one of ${allowed.join(', ')}`,
      found: `'${unknown}'`,
      fix: `Remove '${unknown}' or correct its name.`,
      declaredAt,
    });
  }
  return value as Readonly<Record<string, unknown>>;
}

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is a Standard Schema. */
export function checkSchema(value: unknown, call: string, declaredAt: SourceLocation): StandardSchema {
  if (isStandardSchema(value)) return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `the schema of ${call} is ${describeValue(value)}`,
    expected: 'a schema of zod (3.24 or newer), valibot (1.0), arktype (2.0), or another library with Standard Schema',
    fix: 'Give the schema itself, such as z.object({ id: z.number() }).',
    declaredAt,
  });
}

/** @throws SageError SAGE_PLAN_ARGUMENT unless it is an AbortSignal or left away. */
export function checkSignal(value: unknown, call: string, declaredAt: SourceLocation): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `signal of ${call} is ${describeValue(value)}`,
    expected: 'an AbortSignal',
    fix: `Write ${call}({ signal: controller.signal }).`,
    declaredAt,
  });
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
    found: describeValue(value),
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
    found: `the strategy '${keyBy.strategy}'`,
    fix: `Leave the strategy of '${keyBy.name}' away, or call keyBy again before ${call}.`,
    declaredAt,
    related: [{ what: `the keyBy '${keyBy.name}'`, declaredAt: keyBy.declaredAt }],
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
      found: what,
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
        found: describeValue(aggregator),
        declaredAt,
      });
    }
  }
  if (keyed && Object.hasOwn(value, 'key')) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: "a result of aggregate is named 'key'",
      expected: "other names: on a keyed stream 'key' holds the key",
      found: Object.keys(value).map((name) => `'${name}'`).join(', '),
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
  if (missing !== undefined) return parts[missing] === undefined ? `, without ${missing}` : `, whose ${missing} is ${describeValue(parts[missing])}`;
  return `, whose merge is ${describeValue(parts['merge'])}`;
}
