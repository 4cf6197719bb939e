import { SageError } from '../common/errors.ts';
import type { JobId } from '../common/ids.ts';
import type { FunctionContext } from './function-context.ts';
import { LocalFunctionMetrics } from './function-metrics.ts';
import type { Logger } from './logger.ts';
import type { BroadcastState } from './state/broadcast-state.ts';
import type { KeyedState } from './state/keyed-state.ts';
import type { Timers } from './state/timers.ts';

/** What the runtime knows when it makes a context. */
export interface TaskContextOptions {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly operator: string;
  readonly parallelIndex: number;
  readonly parallelism: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** Of the job. */
  readonly logger: Logger;
}

/** Members that api.md names for later versions: asking for them must not look like an unset variable. */
const NOT_BUILT_YET = ['callService', 'callServiceAsync'] as const;

/** What belongs to the key in hand. */
export interface KeyedParts {
  readonly state: KeyedState;
  readonly timers: Timers;
}

/** `ctx.broadcast`, as the runtime holds it. */
export interface BroadcastParts extends BroadcastState {
  /** A call begins, of the broadcast side or of the other one; what the one before has written stays. */
  begin(isBroadcast: boolean): void;
  /** The call in hand has failed: nothing stays of what it has written. */
  rollback(): void;
}

/** The context as the runtime holds it: the same object, whose key it sets before each record. */
export class TaskContext implements FunctionContext {
  readonly jobId: JobId;
  readonly jobName: string;
  readonly operator: string;
  readonly parallelIndex: number;
  readonly parallelism: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly #jobLogger: Logger;
  #logger: Logger | undefined;
  readonly metrics: LocalFunctionMetrics = new LocalFunctionMetrics();
  /** Set by the runtime before each record of a keyed stream. */
  key: unknown = undefined;
  /** Set by the runtime before each record of a stream with event time. */
  timestamp: number | undefined = undefined;
  /** Set by the runtime: state and timers, or what says why there are none. */
  keyed: KeyedParts | undefined = undefined;
  /** Set by the runtime where the operator has a broadcast side. */
  broadcast: BroadcastParts | undefined = undefined;

  constructor(options: TaskContextOptions) {
    this.jobId = options.jobId;
    this.jobName = options.jobName;
    this.operator = options.operator;
    this.parallelIndex = options.parallelIndex;
    this.parallelism = options.parallelism;
    this.config = options.config;
    this.signal = options.signal;
    this.#jobLogger = options.logger;
  }

  /** Made when it is first asked for: most functions write no lines. */
  get logger(): Logger {
    this.#logger ??= this.#jobLogger.child({ operator: this.operator, instance: this.parallelIndex });
    return this.#logger;
  }

  get state(): KeyedState {
    return this.#keyedParts('state').state;
  }

  get timers(): Timers {
    return this.#keyedParts('timers').timers;
  }

  #keyedParts(member: string): KeyedParts {
    if (this.keyed !== undefined) return this.keyed;
    throw new SageError('SAGE_ENV_CONTEXT', `'${this.operator}' asked for ctx.${member}, which only functions of a keyed stream have`, {
      operator: this.operator,
      help: 'Let the class extend KeyedProcessFunction, and use it behind keyBy: stream.keyBy(...).process(Class).',
    });
  }
}

for (const member of NOT_BUILT_YET) {
  Object.defineProperty(TaskContext.prototype, member, {
    get(this: TaskContext): never {
      throw new SageError('SAGE_PLAN_UNSUPPORTED', `this version has no ctx.${member}`, {
        operator: this.operator,
        help: 'Keep what you need in fields of the function class; it lives as long as the instance.',
      });
    },
  });
}
