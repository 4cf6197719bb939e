import type { OperatorId } from '../../common/ids.ts';
import { BROADCAST_INPUT } from '../../transformations/broadcast-process-transformation.ts';
import type { LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import { operatorsById } from '../logical/plan-edges.ts';
import type { ExchangePartition } from '../physical-plan.ts';
import { hasThread, type Placements } from './place-operators.ts';

/** What lies between two operators that cannot be in one stage. */
export interface Separation {
  readonly partition: ExchangePartition;
  /** In words. */
  readonly reason: string;
}

/** Records of one operator go to another. */
export interface Link {
  readonly from: LogicalOperator;
  readonly to: LogicalOperator;
  /** Which of the consumer's inputs it is, from 0. */
  readonly input: number;
  /** `undefined`: nothing forbids that both are in one stage. */
  readonly separation: Separation | undefined;
}

/** How records would travel over a link whose two ends are in different stages. */
export function partitionOf({ separation, to }: Link): ExchangePartition {
  // The instance with the same number may not be there.
  return separation?.partition ?? (to.elastic ? 'rebalance' : 'forward');
}

/** All links, by consumer and in the order of its inputs. */
export function linkOperators(plan: LogicalPlan, placements: Placements): readonly Link[] {
  const byId = operatorsById(plan);
  return plan.operators.flatMap((to) =>
    to.inputs.map((id, input): Link => {
      const from = byId.get(id)!;
      return { from, to, input, separation: redistribute(from, to, input, byId) ?? crossBorder(from, to, placements) };
    }),
  );
}

/** Records must change their instance. */
function redistribute(
  from: LogicalOperator,
  to: LogicalOperator,
  input: number,
  byId: ReadonlyMap<OperatorId, LogicalOperator>,
): Separation | undefined {
  // What an operator gives beside its results stays where it is; a rebalance sends its records to any instance.
  if (to.kind === 'sideOutput') return undefined;
  if (to.kind === 'rebalance') return redistributeAll(from, to);
  if (to.elastic && !from.elastic) return { partition: 'rebalance', reason: `each to the instance of '${to.name}' that has the fewest waiting` };
  // What a keyBy gives, also through an extract, has its key but is not yet where that key belongs.
  const keyed = from.keyedBy === undefined ? undefined : byId.get(from.keyedBy)!;
  const undistributed = from.kind === 'keyBy' || from.kind === 'extract';
  if (undistributed && to.kind === 'extract') return undefined;
  if (to.parallelism === 1) {
    return from.parallelism === 1 ? undefined : { partition: 'forward', reason: `from ${from.parallelism} instances to one` };
  }
  if (isBroadcast(to, input)) return { partition: 'broadcast', reason: `every instance of '${to.name}' gets every record of '${from.name}'` };
  const strategy = keyed?.transformation.kind === 'keyBy' ? keyed.transformation.strategy : undefined;
  if (undistributed) return distributeKeyed(strategy, keyed!.name);
  if (from.parallelism === to.parallelism) return undefined;
  const change = `from ${from.parallelism} to ${to.parallelism} instances`;
  // A union's records have no key any more, so that any instance will do.
  if (strategy === 'hash' && to.kind !== 'union') return { partition: 'hash', reason: `${change}, each key to its own` };
  return { partition: 'rebalance', reason: `${change}, record by record` };
}

/** Whether an input is the broadcast side of a process function. */
function isBroadcast({ transformation }: LogicalOperator, input: number): boolean {
  const hasSide = transformation.kind === 'broadcastProcess' || (transformation.kind === 'keyedProcess' && transformation.form === 'broadcast');
  return hasSide && input === BROADCAST_INPUT;
}

function redistributeAll(from: LogicalOperator, to: LogicalOperator): Separation | undefined {
  if (to.parallelism > 1) return { partition: 'rebalance', reason: `'${to.name}' spreads records evenly` };
  return from.parallelism === 1 ? undefined : { partition: 'forward', reason: `from ${from.parallelism} instances to one` };
}

function distributeKeyed(strategy: 'hash' | 'broadcast' | 'roundRobin' | undefined, name: string): Separation {
  switch (strategy) {
    case 'broadcast':
      return { partition: 'broadcast', reason: `'${name}' gives every instance every record` };
    case 'roundRobin':
      return { partition: 'rebalance', reason: `'${name}' gives the instances records in turn` };
    default:
      return { partition: 'hash', reason: `each key of '${name}' to its own instance` };
  }
}

/** Records stay with their instance, but that runs elsewhere. */
function crossBorder(from: LogicalOperator, to: LogicalOperator, placements: Placements): Separation | undefined {
  const source = placements.byId.get(from.id)!.placement;
  const target = placements.byId.get(to.id)!.placement;
  if (source === 'native') {
    if (target !== 'native') return { partition: 'forward', reason: whyBorder(from, to) };
    if (to.inCore && !hasThread(to)) return undefined;
    const what = to.kind === 'window' ? 'windows' : 'aggregate';
    return { partition: 'forward', reason: to.inCore ? `to the ${what} in the core` : 'to the writer in the core' };
  }
  if (target === 'native') return { partition: 'forward', reason: 'to the writer in the core' };
  if (source === target) return undefined;
  return { partition: 'forward', reason: target === 'main' ? 'from a worker to the main isolate' : 'from the main isolate to a worker' };
}

/** What the core has read or computed goes to JavaScript; why, where it is not plain that it must. */
function whyBorder(from: LogicalOperator, to: LogicalOperator): string {
  const where = from.inCore ? 'from the core' : 'from the reader in the core';
  return to.whyNotInCore === undefined ? where : `${where}: '${to.name}' ${to.whyNotInCore}`;
}

/** The ways back of feedback loops. They are not among the other links, along which producers come before consumers. */
export function linkFeedback(plan: LogicalPlan): readonly Link[] {
  const byId = operatorsById(plan);
  return plan.operators.flatMap((from): Link[] => {
    const to = from.transformation.kind === 'fillFuture' ? byId.get(from.transformation.future.id) : undefined;
    if (to === undefined) return [];
    const stays = to.parallelism === 1 || from.parallelism === to.parallelism;
    return [{ from, to, input: 0, separation: { partition: stays ? 'forward' : 'rebalance', reason: `back to '${to.name}'` } }];
  });
}
