import { planError } from '../../common/errors.ts';
import { formatSourceLocation } from '../../common/source-location.ts';
import { isStandardInput } from '../../transformations/source-descriptor.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Pipeline } from '../logical-plan.ts';

/**
 * What comes in by the standard input comes once: two sources would each get some of it.
 *
 * @throws SageError SAGE_PLAN_INPUT_PATH
 */
export function checkStandardInput(pipeline: Pipeline): void {
  const readers = (pipeline as readonly Transformation[]).filter(
    (transformation) => transformation.kind === 'source' && transformation.source.form === 'native' && isStandardInput(transformation.source.spec.path),
  );
  const [first, second] = readers;
  if (first === undefined || second === undefined) return;
  throw planError('SAGE_PLAN_INPUT_PATH', {
    message: `'${second.name}' reads the standard input, which '${first.name}' reads already (${formatSourceLocation(first.declaredAt)})`,
    expected: 'one source for the standard input',
    fix: `Use the stream of '${first.name}' several times.`,
    declaredAt: second.declaredAt,
    operator: second.name,
  });
}
