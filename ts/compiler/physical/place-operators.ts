import type { OperatorId } from '../../common/ids.ts';
import { isMainSink } from '../../transformations/sink-descriptor.ts';
import type { CompileOptions, PlanConfig } from '../compile-options.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import type { Placement } from '../physical-plan.ts';

/** Where an operator runs. */
export interface OperatorPlacement {
  readonly placement: Placement;
  /** In words. */
  readonly reason: string;
}

/** Where everything runs. */
export interface Placements {
  readonly byId: ReadonlyMap<OperatorId, OperatorPlacement>;
  /** Whether operators with more than one instance were kept in the main isolate, since no worker can import them. */
  readonly keptInMain: boolean;
}

/** Words for a pipeline that exists in the main isolate only, when the caller gave no better ones. */
export const NOT_IMPORTABLE = 'a worker thread cannot import the code that built this pipeline';

/**
 * Says for each operator whether it runs in the core, in the main isolate or in worker threads. Without parallelism no
 * worker is started, unless the environment is `isolated`.
 */
export function placeOperators(plan: LogicalPlan, config: PlanConfig, options: CompileOptions): Placements {
  const isolated = config.isolated === true;
  const byId = new Map<OperatorId, OperatorPlacement>();
  let keptInMain = false;
  for (const operator of plan.operators) {
    const fixed = nativePlacement(operator) ?? mainPlacement(operator) ?? placementOfInput(operator, byId);
    const wantsWorker = operator.parallelism > 1 || isolated;
    const elastic: OperatorPlacement = { placement: 'elastic', reason: "'auto'" };
    if (fixed !== undefined) byId.set(operator.id, fixed);
    else if (operator.elastic) byId.set(operator.id, elastic);
    else if (!wantsWorker) byId.set(operator.id, { placement: 'main', reason: 'one instance' });
    else if (options.importable) byId.set(operator.id, { placement: 'workers', reason: workersReason(operator) });
    else {
      keptInMain = true;
      byId.set(operator.id, { placement: 'main', reason: options.notImportableReason ?? NOT_IMPORTABLE });
    }
  }
  return { byId, keptInMain };
}

/** Whether the operator is a reader or writer of the core. */
export function isNative({ transformation, source }: LogicalOperator): boolean {
  return source?.form === 'native' || (transformation.kind === 'sink' && transformation.sink.form === 'native');
}

/** Whether the core runs the operator, on a thread of its own or of the reader before it. */
export function runsInThreads(operator: LogicalOperator): boolean {
  return operator.inCore || isNative(operator);
}

/** Whether an operator that the core runs has a thread of its own, and is not on that of what is before it. */
export function hasThread({ kind }: LogicalOperator): boolean {
  return kind === 'aggregate' || kind === 'window';
}

function nativePlacement(operator: LogicalOperator): OperatorPlacement | undefined {
  if (operator.inCore) {
    const reason = hasThread(operator) ? 'computed by the core on threads of its own' : 'one instance';
    return { placement: 'native', reason };
  }
  if (!isNative(operator)) return undefined;
  const verb = operator.kind === 'source' ? 'read' : 'written';
  return { placement: 'native', reason: `${verb} by the core on threads of its own` };
}

function mainPlacement({ kind, transformation }: LogicalOperator): OperatorPlacement | undefined {
  if (transformation.kind === 'sink' && isMainSink(transformation.sink)) {
    const what = { array: 'an array', collect: 'a reader of collect()', function: 'a function', stream: 'a stream', native: '' };
    return { placement: 'main', reason: `${what[transformation.sink.form]} that takes records lives in the main isolate` };
  }
  return transformation.inMain === true && kind !== 'extract' ? { placement: 'main', reason: 'inMain() was called' } : undefined;
}

/** What an operator gives beside its results is taken where it runs, and an extract is where its keyBy is, whatever was said of its aggregate. */
function placementOfInput({ kind, inputs }: LogicalOperator, byId: ReadonlyMap<OperatorId, OperatorPlacement>): OperatorPlacement | undefined {
  return kind === 'sideOutput' || kind === 'extract' ? byId.get(inputs[0]!) : undefined;
}

function workersReason(operator: LogicalOperator): string {
  return operator.parallelism > 1 ? `${operator.parallelism} instances` : 'the environment is isolated';
}
