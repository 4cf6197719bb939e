import { SageError } from '../../common/errors.ts';
import type { KeyedState } from '../../functions/state/keyed-state.ts';
import type { Timers } from '../../functions/state/timers.ts';
import type { KeyedParts, TaskContext } from '../../functions/task-context.ts';

/** `ctx.state` and `ctx.timers` of a function that has neither, for a reason that goes on behind its name: `takes records without a key`. */
export class MissingParts implements KeyedParts {
  readonly #context: TaskContext;
  readonly #why: string;
  readonly #help: string;

  constructor(context: TaskContext, why: string, help: string) {
    this.#context = context;
    this.#why = why;
    this.#help = help;
  }

  get state(): KeyedState {
    const { operator } = this.#context;
    throw new SageError('SAGE_ENV_CONTEXT', `'${operator}' asked for ctx.state, but ${this.#why}`, { operator, help: this.#help });
  }

  get timers(): Timers {
    throw noTimers(this.#context);
  }
}

export function noTimers({ operator }: TaskContext): SageError {
  return new SageError('SAGE_ENV_CONTEXT', `'${operator}' asked for ctx.timers, which only process functions of a keyed stream have`, {
    operator,
    help: 'Let the class extend KeyedProcessFunction, and use it behind keyBy: stream.keyBy(...).process(Class).',
  });
}

export function noDiskState({ operator }: TaskContext): SageError {
  return new SageError('SAGE_ENV_CONTEXT', `'${operator}' asked for ctx.state with state: 'disk', which is for process functions`, {
    operator,
    help: "Let the class extend KeyedProcessFunction: stream.keyBy(...).process(Class); or leave state: 'disk' away, so that its state is in memory.",
  });
}
