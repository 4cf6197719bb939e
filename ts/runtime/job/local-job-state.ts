import { SageError, planError } from '../../common/errors.ts';
import { captureSourceLocation } from '../../common/source-location.ts';
import type { JobState } from '../../transformations/job.ts';
import type { StateAnswer, StateQuestion } from '../isolate/state-reads.ts';
import { keepsState } from '../stage/bind-function-state.ts';
import { keyIdentity } from '../stage/key-identity.ts';
import type { JobPlan } from './job-plan.ts';

/** What a reader of state needs of its job. */
export interface StateHost {
  readonly jobName: string;
  /** Asks all isolates of the job. */
  ask(question: StateQuestion): Promise<readonly StateAnswer[]>;
}

/** One state of one operator of a job, as others than its function see it. */
export class LocalJobState implements JobState {
  readonly #host: StateHost;
  readonly #operator: { readonly id: number; readonly name: string };
  readonly #name: string;

  constructor(host: StateHost, operator: { readonly id: number; readonly name: string }, name: string) {
    this.#host = host;
    this.#operator = operator;
    this.#name = name;
  }

  async get(key: unknown): Promise<unknown> {
    keyIdentity(key);
    const answers = await this.#host.ask({ operator: this.#operator.id, name: this.#name, key });
    const found = answers.find((answer) => answer.kind === 'value');
    if (found !== undefined) return found.value;
    const undeclared = answers.find((answer) => answer.kind === 'undeclared');
    if (undeclared === undefined || answers.some(({ kind }) => kind === 'none')) return undefined;
    const { name } = this.#operator;
    const known = undeclared.names.length === 0 ? 'it has declared none so far' : `its states are ${undeclared.names.map((one) => `'${one}'`).join(', ')}`;
    throw new SageError('SAGE_JOB_STATE', `'${name}' of job '${this.#host.jobName}' has no state '${this.#name}': ${known}`, {
      operator: name,
      help: 'Declare states in open(), and give the name that the function gives.',
    });
  }
}

/** The operator with a uid. @throws SageError SAGE_PLAN_ARGUMENT when there is none, or it keeps no state that could be read. */
export function operatorWithState(plan: JobPlan, uid: unknown, caller: (...args: never[]) => unknown): { readonly id: number; readonly name: string } {
  const nodes = plan.physical.stages.flatMap(({ nodes }) => nodes).filter(keepsState);
  const node = nodes.find(({ operator }) => operator.uid === uid);
  if (node !== undefined) return node.operator;
  const uids = nodes.flatMap(({ operator }) => (operator.uid === undefined ? [] : [`'${operator.uid}'`]));
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `job '${plan.name}' has no operator with state whose uid is ${JSON.stringify(uid)}`,
    expected: uids.length === 0 ? 'an operator on a keyed stream, with a function and uid(): there is none' : `one of ${uids.join(', ')}`,
    found: String(uid),
    fix: "Call uid('...') right behind the operator, such as process(Class), and give the same text.",
    declaredAt: captureSourceLocation(caller),
  });
}
