import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { StreamBase } from './stream-base.ts';

/** The operators whose records a union of `stream` with these streams has. @throws SageError SAGE_PLAN_ARGUMENT for what is no stream, SAGE_PLAN_FOREIGN_STREAM */
export function unionInputs(stream: StreamBase, others: readonly unknown[], declaredAt: SourceLocation): readonly BaseTransformation[] {
  return checkStreams(stream, others, 'union', declaredAt).map(({ transformation }) => transformation);
}

/** `stream` and the others, when all are streams of one environment. @throws SageError SAGE_PLAN_ARGUMENT, SAGE_PLAN_FOREIGN_STREAM */
export function checkStreams<S extends StreamBase>(stream: S, others: readonly unknown[], call: 'union' | 'connect' | 'asOfJoin' | 'join', declaredAt: SourceLocation): readonly S[] {
  return [stream, ...others].map((input) => checkOwn(stream, input, call, declaredAt) as S);
}

function checkOwn({ environment }: StreamBase, other: unknown, call: string, declaredAt: SourceLocation): StreamBase {
  if (!(other instanceof StreamBase)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was given ${describeValue(other)}`,
      expected: 'streams',
      fix: Array.isArray(other) ? `Spread the array: ${call}(...streams).` : `Write first.${call}(second).`,
      found: describeValue(other),
      declaredAt,
    });
  }
  if (other.environment === environment) return other;
  throw planError('SAGE_PLAN_FOREIGN_STREAM', {
    message: `${call} was given a stream of the environment '${other.environment.name}'`,
    expected: `streams of the environment '${environment.name}'`,
    found: `'${other.transformation.name}' of the environment '${other.environment.name}'`,
    fix: 'Create both streams from the same environment.',
    declaredAt,
    related: [{ what: `'${other.transformation.name}' of '${other.environment.name}'`, declaredAt: other.transformation.declaredAt }],
  });
}
