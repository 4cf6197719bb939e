import type { StageId } from '../../common/ids.ts';
import type { LogicalOperator } from '../logical-plan.ts';
import type { SideOutput, Stage, StageNode } from '../physical-plan.ts';
import { isNative, type Placements } from './place-operators.ts';
import type { PlannedExchange } from './plan-exchanges.ts';
import type { Link } from './link-operators.ts';
import type { StageGroup, StageGroups } from './stage-group.ts';
import { nodesOf, stageOp } from './stage-op.ts';

/** More operators than this are not all named. */
const MOST_NAMES = 6;

/** A stage with its nodes: gates first, then the operators, then the outputs. */
export function buildStage(
  id: StageId,
  group: StageGroup,
  groups: StageGroups,
  exchanges: readonly PlannedExchange[],
  placements: Placements,
): Stage {
  const { operators } = group;
  const [first] = operators as [LogicalOperator];
  const gates = exchanges.filter((exchange) => exchange.toGroup === group);
  const outputs = exchanges.filter((exchange) => exchange.fromGroup === group);
  const { placement, reason } = describePlacement(operators, placements);
  const stage = {
    id,
    name: stageName(operators),
    parallelism: first.parallelism,
    placement,
    reason,
    gates: gates.map((exchange) => exchange.id),
    outputs: outputs.map((exchange) => exchange.id),
    ...(operators.some(({ loop }) => loop !== undefined) ? { inLoop: true } : {}),
  };
  // The core's readers and writers, where they stand alone, have their gates and outputs without nodes.
  if (operators.length === 1 && isNative(first)) return { ...stage, nodes: [{ id: 0, operator: first, op: stageOp(first, 0, 0), children: [], sides: [] }] };

  // The nodes of an operator are neighbours, by input.
  const firstNodes = new Map<LogicalOperator, number>();
  let size = gates.length;
  for (const operator of operators) {
    firstNodes.set(operator, size);
    size += nodesOf(operator);
  }
  const nodeOf = ({ to, input }: Link): number | undefined => {
    const node = firstNodes.get(to);
    return node === undefined || nodesOf(to) === 1 ? node : node + input;
  };
  const outputNode = (index: number): number => size + index;
  const childrenOf = (operator: LogicalOperator): number[] => {
    const children: number[] = [];
    // The way back is an exchange, also to the stage itself.
    if (groups.feedbackOf(operator) !== undefined) children.push(outputNode(outputs.findIndex((exchange) => exchange.from === operator)));
    for (const link of groups.outOf(operator)) {
      const { to } = link;
      if (to.kind === 'sideOutput') continue;
      const own = nodeOf(link);
      const index = outputs.findIndex((exchange) => exchange.from === operator && exchange.consumers.includes(to));
      const child = own ?? outputNode(index);
      // An operator may take the same records twice; an exchange carries them once.
      if (own !== undefined || !children.includes(child)) children.push(child);
    }
    return children;
  };
  const sidesOf = (operator: LogicalOperator): SideOutput[] =>
    groups.outOf(operator).flatMap((link) => {
      const { transformation } = link.to;
      return transformation.kind === 'sideOutput' ? [{ channel: transformation.channel, tag: transformation.tag, node: nodeOf(link)! }] : [];
    });
  const nodes: StageNode[] = [
    ...gates.map(({ id: exchange, consumers, links, timed, timeless }, gate): StageNode => ({
      id: gate,
      operator: consumers[0]!,
      op: { kind: 'input', gate, exchange, timed, ...(timeless ? { timeless } : {}) },
      children: links.map((link) => nodeOf(link)!),
      sides: [],
    })),
    ...operators.flatMap((operator) => {
      const first = firstNodes.get(operator)!;
      return Array.from({ length: nodesOf(operator) }, (_, input): StageNode => ({
        id: first + input,
        operator,
        op: stageOp(operator, input, first),
        children: childrenOf(operator),
        sides: sidesOf(operator),
      }));
    }),
    ...outputs.map(({ id: exchange, from, timed, timeless, consumers: [consumer] }, output): StageNode => ({
      id: outputNode(output),
      operator: from,
      op: { kind: 'output', exchange, output, timed, ...(timeless ? { timeless } : {}), owner: isNative(consumer!) ? consumer! : from },
      children: [],
      sides: [],
    })),
  ];
  return { ...stage, nodes };
}

/** The reason is that of the operator that decided: one that must be where it is, else any. */
function describePlacement(operators: readonly LogicalOperator[], placements: Placements): { placement: Stage['placement']; reason: string } {
  const all = operators.map((operator) => placements.byId.get(operator.id)!);
  return all.find((one) => one.reason !== 'one instance') ?? all[0]!;
}

function stageName(operators: readonly LogicalOperator[]): string {
  const names = operators.map((operator) => operator.name);
  if (names.length <= MOST_NAMES) return names.join(' -> ');
  const left = names.length - MOST_NAMES + 1;
  return [...names.slice(0, MOST_NAMES - 2), `... ${left} more ...`, names.at(-1)].join(' -> ');
}
