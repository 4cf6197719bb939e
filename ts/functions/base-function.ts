import { SageError } from '../common/errors.ts';
import type { FunctionContext } from './function-context.ts';
import type { Logger } from './logger.ts';

/**
 * What all function classes share. One object serves one parallel instance, in the thread that runs it, one record at a
 * time: fields are that instance's own.
 *
 * Order of calls: constructor, `open`, `execute` for each record, `close` (exactly once, on every path).
 */
export abstract class BaseFunction {
  /** Not `#private`: a second parallel instance of an object given by the user is a copy of it. */
  private sageContext: FunctionContext | undefined;

  /** @throws SageError SAGE_ENV_CONTEXT in the constructor: there is no context before `open`. */
  get ctx(): FunctionContext {
    const context = this.sageContext;
    if (context === undefined) {
      throw new SageError('SAGE_ENV_CONTEXT', `${this.constructor.name} has no context yet`, {
        help: 'Use ctx and logger in open() or execute(); the constructor runs before there is a job.',
      });
    }
    return context;
  }

  /** Shorthand for `this.ctx.logger`. */
  get logger(): Logger {
    return this.ctx.logger;
  }

  /** Name of the operator, or of the class before `open`. */
  get name(): string {
    return this.sageContext?.operator ?? this.constructor.name;
  }

  /** Called once before the first record. May be async. */
  open(_ctx: FunctionContext): void | Promise<void> {}

  /** Called once after the last record, also when the job fails or is cancelled. May be async. */
  close(): void | Promise<void> {}

  /** Gives a function its context. The runtime calls it before `open`. */
  static attach(target: BaseFunction, context: FunctionContext): void {
    target.sageContext = context;
  }
}
