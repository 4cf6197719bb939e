import type { SourceLocation } from '../common/source-location.ts';
import type { ErrorPolicy } from './error-policy.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** The kinds of operators. */
export type TransformationKind =
  | 'source'
  | 'map'
  | 'flatMap'
  | 'filter'
  | 'select'
  | 'keyBy'
  | 'reduce'
  | 'aggregate'
  | 'union'
  | 'comap'
  | 'join'
  | 'intervalJoin'
  | 'asOfJoin'
  | 'mapAsync'
  | 'process'
  | 'keyedProcess'
  | 'broadcastProcess'
  | 'batch'
  | 'dedup'
  | 'sample'
  | 'limit'
  | 'zipWithIndex'
  | 'rebalance'
  | 'assignTimestamps'
  | 'window'
  | 'route'
  | 'sideOutput'
  | 'fromFuture'
  | 'fillFuture'
  | 'sink';

/** How many parallel instances: a whole number from 1, or `'auto'` for the engine's choice, before and while the job runs. */
export type Parallelism = number | 'auto';

/** More instances of one operator than this is taken for a mistake. */
export const MAX_PARALLELISM = 1024;

/**
 * One operator as the user declared it. `env.pipeline` is the list of these in the order of the calls; it says what to
 * do and holds nothing that runs.
 */
export abstract class BaseTransformation {
  /** Which operator it is. */
  abstract readonly kind: TransformationKind;
  /** Place in `env.pipeline`; -1 until it was added. */
  readonly id: number = -1;
  /** Unique in the environment. */
  name: string;
  /** Stable name for state and savepoints, unique in the environment. */
  uid: string | undefined = undefined;
  /** What the user asked for; `undefined` leaves it to the environment and the planner. */
  parallelism: Parallelism | undefined = undefined;
  /** What happens to a record at which it fails; `undefined`: the job fails. */
  errorPolicy: ErrorPolicy | undefined = undefined;
  /** Whether it must run in the main isolate; `undefined` leaves it to the planner. */
  inMain: boolean | undefined = undefined;
  /** Whose records it takes. */
  readonly inputs: readonly BaseTransformation[];
  /** Where the user called the operator. */
  readonly declaredAt: SourceLocation;

  constructor(name: string, inputs: readonly BaseTransformation[], declaredAt: SourceLocation) {
    this.name = name;
    this.inputs = inputs;
    this.declaredAt = declaredAt;
  }

  /** Whether code of the user, or a value of a record, can make this operator fail at a record. */
  get canFail(): boolean {
    return false;
  }

  /** The keyBy whose key the records behind this operator carry; `undefined` on an unkeyed stream. */
  get keyedBy(): KeyByTransformation | undefined {
    return undefined;
  }

  /** Has an operator take its records from others; only for a pipeline that nobody runs as it is any more (`feedIn`). */
  static reconnect(transformation: BaseTransformation, inputs: readonly BaseTransformation[]): void {
    (transformation as { inputs: readonly BaseTransformation[] }).inputs = inputs;
  }

  /** Gives a transformation its place; only `StreamEnvironment.add` calls it. */
  static place(transformation: BaseTransformation, id: number): void {
    (transformation as { id: number }).id = id;
  }
}
