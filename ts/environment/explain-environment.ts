import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { planMermaid } from '../compiler/explain/plan-mermaid.ts';
import { planSvg } from '../compiler/explain/plan-svg.ts';
import { checkOptions } from '../datastream/plan-checks.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { Explained, ExplainLevel, ExplainOptions, JobSubmitter, StreamEnvironment } from '../transformations/stream-environment.ts';

const LEVELS: readonly ExplainLevel[] = ['logical', 'optimised', 'physical', 'all'];
const FORMATS = ['text', 'json', 'mermaid', 'svg'] as const;

/** What `explain` was given, checked. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkExplain(request: unknown, declaredAt: SourceLocation): ExplainOptions {
  if (typeof request !== 'object' || request === null) return { level: checkLevel(request, declaredAt) };
  const { format = 'text', level } = checkOptions(request, ['format', 'level'], 'explain', declaredAt);
  const known = FORMATS.find((one) => one === format);
  if (known === undefined) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `format of explain is ${describeValue(format)}`,
      expected: FORMATS.map((one) => `'${one}'`).join(', '),
      found: describeValue(format),
      fix: "Write env.explain({ format: 'json' }).",
      declaredAt,
    });
  }
  if (known === 'text') return { format: known, level: checkLevel(level, declaredAt) };
  if (level === undefined) return { format: known };
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `explain was given a level beside the format '${known}'`,
    expected: 'a level with text only: the other formats hold the whole plan',
    found: describeValue(level),
    fix: `Write env.explain({ format: '${known}' }).`,
    declaredAt,
  });
}

/** The plan of an environment, in the form that is wanted. @throws SageError a plan error. */
export function explainEnvironment<O extends ExplainOptions>(
  submitter: JobSubmitter,
  environment: StreamEnvironment,
  options: O,
  calledAt: SourceLocation,
): Explained<O> {
  return explained(submitter, environment, options, calledAt) as Explained<O>;
}

function explained(submitter: JobSubmitter, environment: StreamEnvironment, options: ExplainOptions, calledAt: SourceLocation): unknown {
  switch (options.format) {
    case 'json':
      return submitter.describe(environment, calledAt);
    case 'mermaid':
      return planMermaid(submitter.describe(environment, calledAt));
    case 'svg':
      return planSvg(submitter.describe(environment, calledAt));
    default:
      return submitter.explain(environment, options.level ?? 'all', calledAt);
  }
}

function checkLevel(level: unknown = 'all', declaredAt: SourceLocation): ExplainLevel {
  const known = LEVELS.find((one) => one === level);
  if (known !== undefined) return known;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `explain was given ${describeValue(level)}`,
    expected: LEVELS.map((one) => `'${one}'`).join(', '),
    found: describeValue(level),
    fix: 'Write env.explain() for all of them.',
    declaredAt,
  });
}
