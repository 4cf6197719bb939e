import { SageError } from '../common/errors.ts';
import type { FunctionContext } from './function-context.ts';
import type { Logger } from './logger.ts';
import { type OutputTag, tagName } from './output-tag.ts';

/** Takes what a function gives to its side outputs. */
export type OutputReceiver = (tag: string, record: unknown) => void;

/**
 * What all function classes share. One object serves one parallel instance, in the thread that runs it, one record at a
 * time: fields are that instance's own.
 *
 * Order of calls: constructor, `open`, `execute` for each record, `close` (exactly once, on every path).
 */
export abstract class BaseFunction {
  /** Not `#private`: a second parallel instance of an object given by the user is a copy of it. */
  private sageContext: FunctionContext | undefined;
  private sageOutputs: OutputReceiver | undefined;

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

  /**
   * Gives a record to the side output `tag` of this operator: to what `sideOutput(tag)` of its stream returned. Only while
   * the function works on a record. Where nobody takes the side output, its records are counted and left out.
   *
   * ```ts
   * const odd = new OutputTag<number>('odd');
   * class Halves extends MapFunction<number, number> {
   *   execute(n: number) {
   *     if (n % 2 === 0) return n / 2;
   *     this.output(odd, n);
   *     return undefined;
   *   }
   * }
   * const halves = env.fromCollection([1, 2, 3, 4]).map(Halves);
   * halves.print('half');
   * halves.sideOutput(odd).print('odd');
   * ```
   *
   * @throws SageError SAGE_ENV_CONTEXT before `open`, and when the operator has ended.
   */
  output<T>(tag: OutputTag<T> | string, record: T): void {
    const receiver = this.sageOutputs;
    if (receiver === undefined) {
      throw new SageError('SAGE_ENV_CONTEXT', `${this.name} called output() outside execute()`, {
        help: 'Call output() in execute() only: each output belongs to the record in hand.',
      });
    }
    receiver(tagName(tag), record);
  }

  /** Called once before the first record. May be async. */
  open(_ctx: FunctionContext): void | Promise<void> {}

  /** Called once after the last record, also when the job fails or is cancelled. May be async. */
  close(): void | Promise<void> {}

  /** Gives a function its context. The runtime calls it before `open`. */
  static attach(target: BaseFunction, context: FunctionContext): void {
    target.sageContext = context;
  }

  /** Says where side outputs go, `undefined` that they go nowhere any more. The runtime calls it. */
  static connectOutputs(target: BaseFunction, receiver: OutputReceiver | undefined): void {
    target.sageOutputs = receiver;
  }
}
