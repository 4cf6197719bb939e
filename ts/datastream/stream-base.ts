import { captureSourceLocation } from '../common/source-location.ts';
import type { BaseTransformation, Parallelism } from '../transformations/base-transformation.ts';
import type { ErrorPolicy } from '../transformations/error-policy.ts';
import { functionBehind } from '../transformations/side-output-transformation.ts';
import { SourceTimestampsTransformation } from '../transformations/source-timestamps-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { ValidateTransformation } from '../transformations/validate-transformation.ts';
import { checkErrorPolicy } from './operator-arguments.ts';
import { checkCanFail, checkInstances, checkParallelism, checkText, checkUid } from './plan-checks.ts';

/** What all streams have: their place in a pipeline, and the calls that say more of the last operator. */
export abstract class StreamBase {
  /** The environment in which the stream was made. */
  readonly environment: StreamEnvironment;
  /** The operator whose output this is. */
  readonly transformation: BaseTransformation;
  /** The operator that `named`, `uid` and `parallelism` speak of: right behind `sink` it is the sink. */
  readonly subject: BaseTransformation;

  /** Environments and streams create streams; users get them from calls. */
  constructor(environment: StreamEnvironment, transformation: BaseTransformation, subject: BaseTransformation = transformation) {
    this.environment = environment;
    this.transformation = transformation;
    this.subject = subject;
  }

  /** Names the last operator; a name that is taken gets a suffix. */
  named(name: string): this {
    const declaredAt = captureSourceLocation(this.named);
    this.environment.rename(this.subject, checkText(name, 'named', declaredAt));
    return this;
  }

  /** A name of the last operator that stays when the pipeline changes. @throws SageError SAGE_PLAN_DUPLICATE_UID */
  uid(id: string): this {
    const declaredAt = captureSourceLocation(this.uid);
    this.subject.uid = checkUid(id, this.subject, this.environment.pipeline, declaredAt);
    return this;
  }

  /**
   * How many parallel instances the last operator has. With `'auto'` one without state has one at first, and gets others while it
   * stays the bottleneck, up to one for each processor.
   *
   * @throws SageError SAGE_PLAN_PARALLELISM
   */
  parallelism(parallelism: Parallelism): this {
    const declaredAt = captureSourceLocation(this.parallelism);
    const checked = checkParallelism(parallelism, declaredAt);
    checkInstances(this.subject, checked, declaredAt);
    this.subject.parallelism = checked;
    if (this.subject instanceof ValidateTransformation || this.subject instanceof SourceTimestampsTransformation) this.subject.setSourceParallelism(checked);
    return this;
  }

  /**
   * What happens with a record at which the last operator fails: `'fail'` (the job fails; so it is when nothing is said), `'skip'`
   * (left out and counted), `'deadLetter'` (to `deadLetters()`), or first some retries:
   * `{ retry: 3, backoffMs: 100, then: 'skip' }`. Nothing of what the operator gave for such a record goes on.
   * Behind a branch of `split` or `route`, it is said of the function that divides, and so for all branches.
   *
   * ```ts
   * env.fromCollection(['{"id":1}', '{']).map((text) => JSON.parse(text)).onError('skip').print();
   * ```
   *
   * @throws SageError SAGE_PLAN_ARGUMENT when the last operator cannot fail.
   */
  onError(policy: ErrorPolicy): this {
    const declaredAt = captureSourceLocation(this.onError);
    const checked = checkErrorPolicy(policy, declaredAt);
    const operator = functionBehind(this.subject);
    checkCanFail(operator, checked, declaredAt);
    operator.errorPolicy = checked;
    if (operator instanceof SourceTimestampsTransformation) operator.setSourcePolicy(checked);
    return this;
  }

  /** Keeps the last operator in the main isolate, where it can use what only lives there. */
  inMain(): this {
    this.subject.inMain = true;
    if (this.subject instanceof SourceTimestampsTransformation) this.subject.setSourceInMain();
    return this;
  }

  /** This stream, with another operator for the modifiers. */
  protected abstract withSubject(subject: BaseTransformation): this;
}
