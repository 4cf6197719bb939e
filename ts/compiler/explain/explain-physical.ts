import { runsInCore } from '../native-aggregates.ts';
import type { Exchange, IsolatePlan, PhysicalPlan, Stage, StageNode } from '../physical-plan.ts';
import { describeWork } from './describe-work.ts';
import { explainGuarantee } from './explain-guarantee.ts';

/**
 * The physical plan as text: stages with their fused chains, exchanges with their partitioning and where they lose
 * prototypes, and which isolates run what. Within a line everything joined by `->` is one function at run time.
 */
export function explainPhysical(plan: PhysicalPlan): string {
  const stages = plan.stages.flatMap((stage) => [
    `  stage ${stage.id}: parallelism ${stage.placement === 'elastic' ? `1 of up to ${stage.parallelism}` : stage.parallelism}, ${describePlacement(stage, plan.isolates)}`,
    ...chains(stage).map((line) => `    ${line}`),
    ...plan.exchanges.filter((exchange) => exchange.from.stage === stage.id).flatMap(exchangeLines),
  ]);
  const warnings = plan.warnings.map((warning) => `  warning: ${warning}`);
  const state = plan.state?.kind === 'disk' ? [`  state: on disk, about ${plan.state.memoryBytes} bytes of it in memory for each instance${plan.state.directory === undefined ? '' : `, in ${plan.state.directory}`}`] : [];
  return ['Physical plan', ...stages, `  ${describeIsolates(plan.isolates)}`, ...state, ...explainGuarantee(plan.guarantee, plan.checkpoint).map((line) => `  ${line}`), ...warnings].join('\n');
}

function describePlacement({ placement, reason, parallelism }: Stage, isolates: IsolatePlan): string {
  const last = Math.min(parallelism, isolates.workers);
  const late = parallelism === 2 ? 'worker 1' : `workers 1 to ${parallelism - 1}`;
  const where = {
    native: 'native',
    main: 'main isolate',
    workers: last === 1 ? 'worker 1' : `workers 1 to ${last}`,
    elastic: `main isolate, and ${late} when it stays the bottleneck`,
  };
  return `${where[placement]} (${reason})`;
}

function describeIsolates({ workers, main, reason }: IsolatePlan): string {
  const threads = workers === 0 ? 'no worker thread' : workers === 1 ? '1 worker thread' : `${workers} worker threads`;
  return `isolates: ${main ? `main and ${threads}` : threads} (${reason})`;
}

function exchangeLines(exchange: Exchange): string[] {
  const { id, partition, keyed, encoding, to, reason, losesPrototypes, feedback } = exchange;
  const batches = [feedback === undefined ? '' : 'feedback', partition, keyed ? 'with key' : '', encoding === 'json' ? 'as JSON' : ''].filter((part) => part !== '');
  const line = `    exchange ${id} to stage ${to.stage}: ${batches.join(', ')} (${reason})`;
  return losesPrototypes ? [line, '      records are copied here: class instances lose their prototype'] : [line];
}

/** The nodes as chains: a node with several children ends its chain, and each child begins one, further in. */
function chains(stage: Stage): string[] {
  const lines: string[] = [];
  const printed = new Set<number>();
  const printFrom = (start: StageNode, indent: string): void => {
    const names: string[] = [];
    let node: StageNode | undefined = start;
    while (node !== undefined) {
      if (printed.has(node.id)) {
        names.push(`${describeNode(node, stage)} (see above)`);
        break;
      }
      printed.add(node.id);
      names.push(describeNode(node, stage));
      if (node.children.length > 1) {
        lines.push(`${indent}${names.join(' -> ')} -> each of`);
        for (const child of node.children) printFrom(stage.nodes[child]!, `${indent}  `);
        return;
      }
      node = stage.nodes[node.children[0] ?? -1];
    }
    lines.push(`${indent}${names.join(' -> ')}`);
  };
  const children = new Set(stage.nodes.flatMap((node) => node.children));
  for (const node of stage.nodes) if (!children.has(node.id)) printFrom(node, '');
  return lines;
}

function describeNode({ op, operator }: StageNode, stage: Stage): string {
  switch (op.kind) {
    case 'input':
      return `exchange ${op.exchange}`;
    case 'output':
      return `exchange ${op.exchange}`;
    case 'native': {
      if (stage.nodes.length > 1) return `${op.role} '${operator.name}' (${describeWork(operator)})`;
      const text = `${op.role} '${operator.name}' (${describeWork(operator)})`;
      const gates = stage.gates.map((gate) => `exchange ${gate} -> `).join('');
      return `${gates}${text}${stage.outputs.map((output) => ` -> exchange ${output}`).join('')}`;
    }
    case 'aggregate': {
      const isNative = stage.placement === 'native' || (op.keyed && runsInCore(op.spec, op.emit));
      return `aggregate '${operator.name}'${isNative ? ' (native)' : ''}`;
    }
    default:
      return `${operator.kind} '${operator.name}'${'coInput' in op && op.coInput !== undefined ? ` (input ${op.coInput.input})` : ''}`;
  }
}
