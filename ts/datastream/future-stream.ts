import { planError } from '../common/errors.ts';
import { captureSourceLocation, type SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { FillFutureTransformation } from '../transformations/fill-future-transformation.ts';
import { FromFutureTransformation, type LoopLimits } from '../transformations/from-future-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { DataStream } from './data-stream.ts';
import { checkOptions, checkText } from './plan-checks.ts';
import type { Fillable } from './fillable.ts';
import type { StreamBase } from './stream-base.ts';
import { registerStreamKinds } from './stream-kinds.ts';

/** What may be said of a feedback loop. */
export interface FutureOptions {
  /** Bytes of records that all instances of the loop may hold in memory between two rounds; 64 MiB when left away. */
  readonly memoryBytes?: number;
  /** Bytes that they may hold on disk besides, before the job fails with SAGE_SPILL_LIMIT; 8 GiB when left away. */
  readonly spillBytes?: number;
}

const MIB = 1024 * 1024;
const DEFAULT_LIMITS: LoopLimits = { memoryBytes: 64 * MIB, spillBytes: 8 * 1024 * MIB };

/**
 * A stream of records that come from further down the pipeline, where `fillFuture` sends them back. Made by
 * `env.fromFuture`.
 */
export class FutureStream<in out T> extends DataStream<T> implements Fillable<T> {
  /** Only for the type: streams of what these records are, or of some of them, may fill the future; never set. */
  declare readonly takes: (record: T) => void;

  constructor(environment: StreamEnvironment, name: unknown, options: unknown, declaredAt: SourceLocation) {
    const { memoryBytes, spillBytes } = checkOptions(options, ['memoryBytes', 'spillBytes'], 'fromFuture', declaredAt);
    const limits: LoopLimits = {
      memoryBytes: checkBytes('memoryBytes', memoryBytes, DEFAULT_LIMITS.memoryBytes, declaredAt),
      spillBytes: checkBytes('spillBytes', spillBytes, DEFAULT_LIMITS.spillBytes, declaredAt),
    };
    super(environment, environment.add(new FromFutureTransformation(checkText(name, 'fromFuture', declaredAt), limits, declaredAt)));
  }
}

function checkBytes(name: string, value: unknown, otherwise: number, declaredAt: SourceLocation): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `${name} of fromFuture is ${describeValue(value)}`,
    expected: 'a whole number of bytes from 0',
    fix: `Write { ${name}: ${otherwise} }, or leave it away.`,
    found: describeValue(value),
    declaredAt,
  });
}

/** Appends what sends the records of a stream back. @throws SageError SAGE_PLAN_FUTURE, SAGE_PLAN_FOREIGN_STREAM, SAGE_PLAN_ARGUMENT */
function fillFuture({ environment, transformation }: StreamBase, value: unknown, declaredAt: SourceLocation): FillFutureTransformation {
  const future = value instanceof DataStream ? value.transformation : undefined;
  if (!(future instanceof FromFutureTransformation)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `fillFuture was given ${value instanceof DataStream ? `the stream of '${value.transformation.name}'` : describeValue(value)}`,
      expected: 'what env.fromFuture returned',
      fix: "Write const again = env.fromFuture('again') first, and then stream.fillFuture(again).",
      found: value instanceof DataStream ? `what '${value.transformation.name}' returned` : describeValue(value),
      declaredAt,
    });
  }
  if ((value as StreamBase).environment !== environment) {
    const other = (value as StreamBase).environment.name;
    throw planError('SAGE_PLAN_FOREIGN_STREAM', {
      message: `fillFuture was given a future of the environment '${other}'`,
      expected: `a future of the environment '${environment.name}'`,
      found: `'${future.name}' of the environment '${other}'`,
      fix: 'Create both from the same environment.',
      declaredAt,
      related: [{ what: `'${future.name}' of '${other}'`, declaredAt: future.declaredAt }],
    });
  }
  if (future.filledBy !== undefined) {
    throw planError('SAGE_PLAN_FUTURE', {
      message: `the future '${future.name}' is filled a second time`,
      expected: 'one fillFuture for each fromFuture',
      found: `fillFuture by '${future.filledBy.inputs[0]!.name}', and now by '${transformation.name}'`,
      fix: `Put the two streams together, first.union(second).fillFuture(${future.name}), or make a future for each.`,
      declaredAt,
      related: [
        { what: 'the first fillFuture', declaredAt: future.filledBy.declaredAt },
        { what: `the future '${future.name}'`, declaredAt: future.declaredAt },
      ],
    });
  }
  const filler = environment.add(new FillFutureTransformation(transformation, future, declaredAt));
  future.filledBy = filler;
  return filler;
}

/** The stream of a new future. @param call where its user called it */
export function fromFuture<T>(environment: StreamEnvironment, name: unknown, options: unknown, call: (...args: never[]) => unknown): FutureStream<T> {
  return new FutureStream<T>(environment, name, options, captureSourceLocation(call));
}

registerStreamKinds({ fillFuture });
