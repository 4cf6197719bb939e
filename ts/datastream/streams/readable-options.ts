import type { SourceLocation } from '../../common/source-location.ts';
import { planError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import { checkNumber } from '../operator-arguments.ts';
import { checkOptions } from '../plan-checks.ts';
import type { ToReadableOptions } from './open-readable.ts';

/** What `toReadable` or `toReadableStream` was told. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkReadableOptions(options: unknown, call: 'toReadable' | 'toReadableStream', declaredAt: SourceLocation): ToReadableOptions {
  const isNode = call === 'toReadable';
  const { objectMode, highWaterMark } = checkOptions(options, isNode ? ['objectMode', 'highWaterMark'] : ['highWaterMark'], call, declaredAt);
  if (objectMode !== undefined && typeof objectMode !== 'boolean') {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `objectMode of ${call} is ${describeValue(objectMode)}`,
      expected: 'true or false',
      found: describeValue(objectMode),
      fix: 'Write toReadable({ objectMode: false }) for a stream of bytes.',
      declaredAt,
    });
  }
  return {
    ...(objectMode === undefined ? {} : { objectMode }),
    ...(highWaterMark === undefined ? {} : { highWaterMark: checkNumber(highWaterMark, `highWaterMark of ${call}`, { least: 0, whole: isNode }, declaredAt) }),
  };
}
