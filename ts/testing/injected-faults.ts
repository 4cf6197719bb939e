import { SageError } from '../common/errors.ts';
import type { StageNode } from '../compiler/physical-plan.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';

/** Says at which records an operator fails: what it gives is thrown in place of a call of the function. `n` counts the calls from 1. */
export type Fault = (record: unknown, n: number) => Error | undefined | void;

interface Injected {
  readonly operator: string;
  readonly fault: Fault;
  calls: number;
}

/** The faults that a test has put into the operators of its pipeline. */
export class InjectedFaults {
  readonly #faults: Injected[] = [];
  /** Names and uids of the operators whose functions are at work. */
  readonly #withFunction = new Set<string>();

  add(operator: string, fault: Fault): void {
    this.#faults.push({ operator, fault, calls: 0 });
  }

  /** An operator has a function, which asks `check`. */
  noteFunction({ operator }: StageNode): void {
    this.#withFunction.add(operator.name);
    if (operator.transformation.uid !== undefined) this.#withFunction.add(operator.transformation.uid);
  }

  /** @throws SageError SAGE_PLAN_ARGUMENT when a fault is for a name that no operator has, as name or uid */
  checkNames(pipeline: readonly BaseTransformation[]): void {
    for (const { operator } of this.#faults) {
      if (pipeline.some(({ name, uid }) => name === operator || uid === operator)) continue;
      throw new SageError('SAGE_PLAN_ARGUMENT', `failOn was given '${operator}', which no operator is named`, { help: `Name one of them: ${pipeline.map(({ name }) => name).join(', ')}.` });
    }
  }

  /** @throws SageError SAGE_PLAN_ARGUMENT when a fault is for an operator that calls no function, in a job whose tasks are there */
  checkFunctions(): void {
    for (const { operator } of this.#faults) {
      if (this.#withFunction.has(operator)) continue;
      throw new SageError('SAGE_PLAN_ARGUMENT', `failOn was given '${operator}', and '${operator}' has no function that could fail`, { help: 'Name an operator to which a function or a class was given.' });
    }
  }

  /** Called before a user's function is. @throws what a fault gives */
  check({ operator }: StageNode, record: unknown): void {
    for (const injected of this.#faults) {
      if (injected.operator !== operator.name && injected.operator !== operator.transformation.uid) continue;
      injected.calls++;
      const error = injected.fault(record, injected.calls);
      if (error !== undefined && error !== null) throw error;
    }
  }
}
