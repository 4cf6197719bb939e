import { SageError } from '../../common/errors.ts';
import type { Exchange, Stage } from '../../compiler/physical-plan.ts';
import type { JobPlan } from './job-plan.ts';
import { type CoreMetrics, countNodes } from './job-result.ts';

/**
 * What operators say that they gave and took, against what the core says that their queues took and gave: two counts of the same records, made in
 * different places. With that of each queue, which the core makes itself, they chain the sources to the sinks: in = processed + skipped + dead.
 *
 * @throws SageError SAGE_JOB_COUNTS for the first difference
 */
export function checkCounts(plan: JobPlan, metrics: CoreMetrics): void {
  const { stages, exchanges } = plan.physical;
  const counts = stages.map((stage) => (stage.placement === 'native' ? undefined : countNodes(stage, metrics.tasks.filter((task) => task.stage === stage.id)).counts));
  /** By stage and gate. */
  const taken = new Map<string, number>();
  for (const exchange of exchanges) {
    const { sent, received } = edgesOf(exchange, plan, metrics);
    const { from, to } = exchange;
    const gate = `${to.stage}.${to.gate}`;
    taken.set(gate, (taken.get(gate) ?? 0) + received);
    // The way back of a loop also has what the checkpoint had of it that the job goes on from.
    if (exchange.feedback !== undefined) continue;
    const given = counts[from.stage]?.[from.node]?.out;
    const copies = exchange.partition === 'broadcast' ? stages[to.stage]!.parallelism : 1;
    if (given !== undefined && given * copies !== sent) throw difference(plan, stages[from.stage]!, from.node, 'gave', given * copies, sent);
  }
  for (const stage of stages) {
    for (const { id, op } of stage.nodes) {
      const count = counts[stage.id]?.[id];
      if (op.kind !== 'input' || count === undefined) continue;
      const received = taken.get(`${stage.id}.${op.gate}`) ?? 0;
      if (count.out !== received) throw difference(plan, stage, id, 'took', count.out, received);
    }
  }
}

function edgesOf({ id }: Exchange, { graph }: JobPlan, { edges }: CoreMetrics): { readonly sent: number; readonly received: number } {
  let [sent, received] = [0, 0];
  for (const edge of graph.edges) {
    if (edge.exchange !== id) continue;
    const counts = edges[edge.id]!;
    sent += counts.sent;
    received += counts.received;
  }
  return { sent, received };
}

function difference({ name }: JobPlan, stage: Stage, node: number, verb: 'gave' | 'took', counted: number, queued: number): SageError {
  const { operator } = stage.nodes[node]!;
  return new SageError('SAGE_JOB_COUNTS', `'${operator.name}' of job '${name}' ${verb} ${counted} records, and its queues ${verb === 'gave' ? 'took' : 'gave'} ${queued}`, {
    operator: operator.name,
    declaredAt: operator.transformation.declaredAt,
    context: { counted, queued },
  });
}
